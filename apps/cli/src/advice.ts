/** What to do about an error, in words for whoever typed the command. */
import {
  BrokenOff,
  Conflict,
  DeadEvent,
  Invalid,
  Miscounted,
  Refused,
  TimedOut,
  Unavailable,
  UnexpectedAnswer,
  Unreachable,
} from '@sekali/client/errors'
import { issueText } from '@sekali/client/failure'
import { LogRestored, type SekaliError } from '@sekali/core/errors'

const elsewhere = 'name another place with --url or SEKALI_URL'

export function adviceOn(error: SekaliError, url: string): string {
  if (error instanceof BrokenOff) {
    return `what ${url} sent broke off before its end; try again, from after the last event`
  }
  if (error instanceof Miscounted) {
    return `${error.message}: something between here and ${url} changes answers; name another place with --url`
  }
  if (error instanceof Unreachable) {
    const { words, remedy } = unreachable(error, url)
    return `${words}; ${remedy}`
  }
  if (error instanceof TimedOut) {
    return `${url} did not answer in time; try again, or for longer with --retry-seconds`
  }
  if (error instanceof UnexpectedAnswer)
    return `what listens at ${url} is not Sekali; name another place with --url`
  if (error instanceof Unavailable) {
    return isOfAProxy(error)
      ? `what listens at ${url} answers ${error.status}: a proxy, perhaps, behind which Sekali does not run`
      : `Sekali cannot do it now (${error.code}); try again, and see sekali doctor for what is wrong`
  }
  if (error instanceof Invalid) {
    return error.issues.length === 0 ? error.message : `not valid: ${error.issues.map(issueText).join('; ')}`
  }
  if (error instanceof Conflict) {
    const place = error.seq === undefined ? '' : ` (seq ${error.seq})`
    return `the id is taken by an event with another content${place}; the log stays as it is; choose another --id`
  }
  if (error instanceof DeadEvent) {
    return `accepted, but PostgreSQL would not store it (${error.reason ?? 'reason unknown'}); sekali dead-letter list has it`
  }
  if (error instanceof LogRestored) {
    return `the log of ${error.topic} was restored from a backup (${error.restoredAt}): what was read of it after seq ${error.forkedAt} is no longer in it; go on from there with ${error.cursor}, given as --cursor of tail, or as --after`
  }
  if (error instanceof Refused) return adviceOnRefusal(error, url)
  return error.message
}

/** Said before the same call is tried again: what is wrong, and what may be done meanwhile. */
export function adviceOnRetry(error: SekaliError, url: string, retrySeconds?: number): string {
  const goesOn = retrySeconds === undefined ? 'trying again' : `trying again for ${retrySeconds} s`
  if (error instanceof BrokenOff || !(error instanceof Unreachable)) {
    return `${adviceOn(error, url).split(';', 1)[0]}: ${goesOn}`
  }
  const { words, hint } = unreachable(error, url)
  return `${words}: ${goesOn}; ${hint}`
}

/** Whether it would be the same in a second, whatever the error says of itself: a certificate that is not trusted, say. */
export const isForGood = (error: SekaliError): boolean =>
  error instanceof Unreachable && /^(?:certificate|tls|http)$/.test(kindOf(reasonOf(error)))

type Kind = 'certificate' | 'dns' | 'http' | 'refused' | 'reset' | 'silent' | 'tls'

const kinds: readonly (readonly [RegExp, Kind])[] = [
  [/^(?:ENOTFOUND|EAI_\w+|ENODATA)$/, 'dns'],
  [/^(?:\w*CERT\w*|UNABLE_TO_\w+|INVALID_CA|HOSTNAME_MISMATCH)$/, 'certificate'],
  [/^(?:ERR_SSL_\w+|EPROTO|ERR_TLS_\w+)$/, 'tls'],
  [/^(?:HPE_\w+$|Response does not match the HTTP|Invalid (?:header|character))/, 'http'],
  [/^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET|ECONNABORTED)$/, 'reset'],
  [/^(?:ETIMEDOUT|UND_ERR_\w*TIMEOUT|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN)$/, 'silent'],
]

const kindOf = (reason: string): Kind => kinds.find(([form]) => form.test(reason))?.[1] ?? 'refused'

/** The client puts the socket's own word at the end of its message: ECONNREFUSED, say. */
const reasonOf = (error: Unreachable): string => /: ([^:]*)$/.exec(error.message)?.[1] ?? error.code

interface Words {
  readonly words: string
  readonly remedy: string
  /** Instead of the remedy while it is tried again. */
  readonly hint: string
}

function unreachable(error: Unreachable, url: string): Words {
  const reason = reasonOf(error)
  const { host, hostname } = URL.canParse(url) ? new URL(url) : { host: url, hostname: url }
  const all: Readonly<Record<Kind, readonly [words: string, remedy: string, hint?: string]>> = {
    refused: [
      `nobody answers at ${url} (${reason})`,
      `start Sekali with npm start, or ${elsewhere}`,
      'is it started? npm start',
    ],
    dns: [`there is no address of the name ${hostname} (${reason})`, `mend the name, or ${elsewhere}`],
    certificate: [
      `the certificate of ${url} is not to be trusted (${reason})`,
      'NODE_EXTRA_CA_CERTS=FILE names the authority that issued it, if that is your own',
    ],
    tls: [`${url} does not speak TLS (${reason})`, 'write http:// if it has no certificate'],
    http: [`${url} does not speak HTTP (${reason})`, elsewhere],
    reset: [
      `${url} hung up without an answer (${reason})`,
      'write https:// if it wants TLS; otherwise it may be restarting',
    ],
    silent: [
      `nothing comes back from ${host} (${reason})`,
      `a firewall or a wrong address, perhaps: ${elsewhere}`,
    ],
  }
  const [words, remedy, hint = remedy] = all[kindOf(reason)]
  return { words, remedy, hint }
}

/** An error without a word of Sekali's: its code is the status. */
const isOfAProxy = ({ code, status }: Refused | Unavailable) => code === `http_${status}`

function adviceOnRefusal(error: Refused, url: string): string {
  // When it can be dropped only the gateway knows.
  if (error.code === 'projection_in_use') return (error.detail ?? error.message).replace(/^A /, 'a ')
  const { pathname } = URL.canParse(url) ? new URL(url) : { pathname: '/' }
  if (error.code === 'not_found' && pathname !== '/') {
    return `the gateway knows nothing under ${pathname}: leave the path out of the URL`
  }
  if (error.code === 'immutable_field') return immutable(error)
  if (error.code === 'forbidden') return error.detail ?? error.message
  if (error.code === 'unauthorized') return `${whyNot(error)}: a profile, --token-file or SEKALI_TOKEN has it`
  if (!isOfAProxy(error)) return advice[error.code] ?? error.message
  if (error.status === 401 || error.status === 403 || error.status === 407) {
    return `${url} wants another token, or any (${error.status}); a profile, --token-file or SEKALI_TOKEN has it`
  }
  return `what listens at ${url} answers ${error.status}, and not as Sekali does; name another place with --url`
}

/** Options that are left out stand for their defaults, which may be another than the subscription has. */
function immutable({ detail = '' }: Refused): string {
  const field = /with another (\w+)/.exec(detail)?.[1] ?? ''
  const what = {
    topics: '--topics',
    order: '--order',
    filter: '--source or --where',
    kind: '--to',
    source_batch: '--source-batch',
  }[field]
  const named = what === undefined ? 'what it is about' : what
  return `the subscription is there, and ${named} cannot be changed: say it as sekali subscription show NAME has it, or choose another name`
}

/** What the gateway says, without the header: on a command line nobody writes one. */
const whyNot = ({ detail = 'The gateway wants a key, or another one.' }: Refused): string =>
  detail.replace(/ Send it as .*$/, '').replace(/\.$/, '')

const advice: Readonly<Record<string, string>> = {
  auth_off:
    'the gateway asks nobody for a key, so a stranger could make one and keep it: start it with SEKALI_AUTH=keys first',
  unknown_access_key: 'there is no such key: sekali key list names them by their ids',
  key_ended: 'the key was revoked or has expired: sekali key create makes a new one',
  key_succeeded: 'the key was rotated already: sekali key show ID names its successor',
  key_busy: 'somebody else is changing the key: sekali key show ID has what came of it',
  unknown_event: 'there is no such event: sekali events TOPIC lists what there is',
  unknown_topic: 'there is no such topic: sekali topics lists them',
  topic_in_use: 'the topic has events, or some are on their way, or it has dead letters: it stays',
  unknown_projection: 'there is no such projection: sekali projection list names them',
  unknown_key: 'the projection has no such key: sekali projection get NAME lists them',
  unknown_subscription: 'there is no such subscription: sekali subscription list names them',
  subscription_paused: 'it is paused: sekali subscription resume NAME has it hand out events again',
  too_many_subscriptions: 'there are as many subscriptions as there may be: delete those that nobody needs',
  not_pull:
    'it is sent to an endpoint, so nobody pulls from it: sekali subscription attempts NAME shows what was sent',
  not_push: 'workers pull from it, so it has no endpoint: sekali subscription show NAME has what it is',
  no_webhook_key:
    'the gateway has nothing to seal secrets with: give it WEBHOOK_KEY, that of the dispatchers',
  too_many_tests: 'tests of it wait already: try again when they have been answered',
  unknown_delivery: 'the subscription has no such event: not of its topics, filtered out, or not there',
  delivery_under_way:
    'it is being sent, or its turn comes by itself: sekali subscription attempts NAME shows it',
  too_many_retries: 'as many events as may wait to be sent again already: wait for some of them',
  unknown_secret: 'there is no such secret: sekali subscription secrets NAME lists them',
  last_secret: 'it is the only secret: sekali subscription secrets NAME --rotate makes another one first',
  too_many_secrets: 'as many secrets sign as may: --delete one, or wait until one has expired',
  unknown_letter: 'there is no such letter: sekali dead-letter list names them by their ids',
  letter_settled: 'somebody has dealt with it already: sekali dead-letter show ID tells who, and how',
  letter_not_kept: 'nothing of its content is kept, because its topic had too many: discard it',
  not_a_conflict: 'it is no conflict: sekali dead-letter redrive ID appends it once more',
  event_id_taken: 'an event of the topic has this id, with another content: choose another id',
  count_changed: 'by now another number of dead letters matches, so nothing is redriven: count again',
  unknown_operation: 'there is no such operation: sekali operation list names them',
  operation_over: 'the operation has ended already: sekali operation show ID tells how',
  too_many_operations: 'as many operations run as may: wait for one, or cancel one',
  not_found: 'this gateway does not know that: it may be older than this command',
}
