/**
 * Finds out who sends a request, before any route sees it.
 *
 * What is shown is known by its SHA-256: of what was let in once no more is asked than that (admitted.ts). Anything else
 * takes one way, whatever is wrong with it: the key is read by its id and its hash is compared, with one of nobody if
 * there is no such key. So an unknown id and a wrong secret are answered alike, and as late. What was refused is remembered
 * for a while. Of an address that shows much that is refused, look-ups are late and bounded (late-lookups.ts), and what is
 * refused then is only told to wait: so a flood of made-up keys learns little and costs little, and a good one gets in.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Logger } from '@sekali/process/log'
import { createBudget } from '../clients/budget.ts'
import type { Client, Clients } from '../clients/clients.ts'
import { createRate } from '../clients/rate.ts'
import { isTwice } from '../http/host.ts'
import { refusal, refusalOf } from '../http/problem.ts'
import type { Answer } from '../http/reply.ts'
import { type AdmittedDeps, type AdmittedOptions, createAdmitted } from './admitted.ts'
import { badBearer, bearerOf, isWellWritten, mistyped } from './bearer.ts'
import { createDigests } from './digests.ts'
import { createKeyReads, type KeyRecord, whyNot } from './key-reads.ts'
import { createLateLookups } from './late-lookups.ts'
import type { LiveKeys } from './live-keys.ts'
import type { Principal } from './principals.ts'
import { BadToken, type Tokens } from './tokens.ts'

export interface Authenticator extends AsyncDisposable {
  /** Who sends the request, or the answer to it. Only for what is shown for the first time it has to be waited for. */
  authenticate(request: IncomingMessage): Principal | Answer | Promise<Principal | Answer>
  /** A key has changed, or may have. Never rejects. */
  refresh(): Promise<void>
  /** The key with this id was revoked. */
  endKey(id: string): void
  /** Whether nobody can be let in, whatever they show: no key is known while PostgreSQL is away, and no issuer is named. */
  isBlind(): boolean
}

export interface AuthenticatorDeps extends AdmittedDeps {
  readonly clients: Clients
  /** What is asked while PostgreSQL is away. */
  readonly live: Pick<LiveKeys, 'of' | 'areKnown'>
  /** The id in the text of a key whose checksum is right. */
  readonly idOf: (text: string) => string | undefined
  readonly tokens?: Tokens | undefined
  readonly log: Logger
  readonly random: () => number
}

/** Keys and tokens that are looked up at a time. */
const lookupsMax = 1_024
/** What a client may show that is refused, at once and in a second. */
const refusedRate = { burst: 50, perSecond: 5 }
/** Of one client, what is let through in a round beyond that. To verify a signature takes the processor of this process. */
const lateMax = { keys: 125, tokens: 25 }
const refusedMax = 10_000
const refusedMs = 30_000
const keyPrefix = 'sekali_'
/** How often a key is read that may have changed meanwhile. */
const readsMax = 3
/** Nobody has it. */
const noHash = Buffer.alloc(32)

interface Refused {
  readonly answer: Answer
  readonly until: number
}

export function createAuthenticator(deps: AuthenticatorDeps, options?: AdmittedOptions): Authenticator {
  const { clients, idOf, tokens, log, random } = deps
  const admitted = createAdmitted(deps, options)
  const digests = createDigests()
  const readKey = createKeyReads(deps.find)
  const lookups = createBudget(lookupsMax, 'too many keys are looked up')
  const rate = createRate(refusedRate)
  const late = {
    keys: createLateLookups(lateMax.keys, random),
    tokens: createLateLookups(lateMax.tokens, random),
  }
  const refused = createRefused()
  const underWay = new Map<string, Promise<Principal | Answer>>()
  let changes = 0

  const isKey = (text: string) => text.startsWith(keyPrefix)

  /** Rejects as PostgreSQL and the issuer do. */
  async function lookUp(text: string, digest: string, client: Client): Promise<Principal | Answer> {
    // Taken first: of many that come at once each would find room otherwise.
    const waitSeconds = rate.take(client, 1)
    const isLate = waitSeconds > 0
    if (isLate && !(await late[isKey(text) ? 'keys' : 'tokens'].pass(client)))
      return tooManyRefused(waitSeconds)
    using share = lookups.share(client)
    let isWrong = false
    try {
      share.hold(1)
      const found = await (isKey(text) ? lookUpKey(text, digest) : lookUpToken(text, digest))
      if ('grant' in found) return found
      isWrong = true
      if (isLate) return tooManyRefused(waitSeconds)
      refused.add(digest, found)
      return found
    } finally {
      if (!isLate && !isWrong) rate.giveBack(client, 1)
    }
  }

  async function lookUpKey(text: string, digest: string): Promise<Principal | Answer> {
    const id = idOf(text) ?? ''
    let confirmedAt: number | undefined
    const record = await readUnchanged(id).catch((error: unknown) => {
      const known = deps.live.of(digest)
      if (known === undefined) throw error
      confirmedAt = known.confirmedAt
      return known.record
    })
    const isTheirs = timingSafeEqual(record?.hash ?? noHash, Buffer.from(digest, 'hex'))
    if (record === undefined || !isTheirs) return badBearer()
    const why = whyNot(record, digest)
    return why === undefined ? admitted.addKey(digest, id, record, confirmedAt) : badBearer(why)
  }

  /** Again if a key was changed meanwhile: what was read may be older, and nothing would end what it lets in so soon. */
  async function readUnchanged(id: string): Promise<KeyRecord | undefined> {
    for (let reads = 1; ; reads++) {
      const changesBefore = changes
      const record = await readKey(id)
      if (changes === changesBefore || reads === readsMax) return record
    }
  }

  async function lookUpToken(text: string, digest: string): Promise<Principal | Answer> {
    if (tokens === undefined) return badBearer()
    try {
      const { grant, expiresAtMs } = await tokens(text)
      return admitted.addToken(digest, grant, expiresAtMs)
    } catch (error) {
      if (error instanceof BadToken) {
        admitted.endToken(digest, error.message)
        return badBearer(error.message)
      }
      const known = admitted.unverified(digest)
      if (known !== undefined) return known
      throw error
    }
  }

  /** What is shown for the first time: one look-up for all who show it. */
  function lookUpOnce(text: string, digest: string, client: Client): Promise<Principal | Answer> {
    const under = underWay.get(digest)
    if (under !== undefined) return under
    const begun = lookUp(text, digest, client)
      .catch((error: unknown) => refusalOf(error, log, random))
      .finally(() => underWay.delete(digest))
    underWay.set(digest, begun)
    return begun
  }

  function letInLately({ headers, rawHeaders }: IncomingMessage): Principal | undefined {
    const digest = digests.of(headers.authorization ?? '')
    return digest === undefined || isTwice(rawHeaders, 'authorization') ? undefined : admitted.of(digest)
  }

  return {
    authenticate(request) {
      const known = letInLately(request)
      if (known !== undefined) return known
      const text = bearerOf(request)
      if (typeof text !== 'string') return text
      const digest = hash('sha256', text, 'hex')
      const admittedAs = admitted.of(digest)
      if (admittedAs !== undefined) {
        digests.keep(request.headers.authorization ?? '', digest)
        return admittedAs
      }
      const refusedWith = refused.of(digest)
      if (refusedWith !== undefined) return refusedWith
      // No look-up for what cannot be good.
      if (!isWellWritten(text)) return badBearer()
      if (isKey(text) ? idOf(text) === undefined : tokens === undefined) {
        return badBearer(isKey(text) ? mistyped : undefined)
      }
      return lookUpOnce(text, digest, clients.of(request))
    },
    async refresh() {
      changes += 1
      refused.clear() // a restored database may have a key that was unknown
      await admitted.refresh()
    },
    endKey(id) {
      changes += 1
      admitted.endKey(id)
    },
    isBlind: () => tokens === undefined && !deps.live.areKnown,
    [Symbol.asyncDispose]: () => admitted[Symbol.asyncDispose](),
  }
}

const tooManyRefused = (waitSeconds: number): Answer =>
  refusal('rate_limited', {
    detail: 'Too many keys that are not valid came from this address. Try again later.',
    headers: { 'Retry-After': String(Math.ceil(waitSeconds)) },
  })

/** What was refused lately, with the answer. Bounded: beyond that the oldest is forgotten. */
function createRefused() {
  const answers = new Map<string, Refused>()
  return {
    of(digest: string): Answer | undefined {
      const found = answers.get(digest)
      if (found === undefined || found.until > performance.now()) return found?.answer
      answers.delete(digest)
      return undefined
    },
    add(digest: string, answer: Answer): void {
      const [oldest] = answers.keys()
      if (answers.size >= refusedMax && oldest !== undefined) answers.delete(oldest)
      answers.set(digest, { answer, until: performance.now() + refusedMs })
    },
    clear: () => answers.clear(),
  }
}
