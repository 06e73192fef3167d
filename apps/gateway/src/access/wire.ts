/** Joins what asks for keys: the keys in PostgreSQL, the hints in Redis, the issuer of tokens, the audit log. */
import type { Broker } from '@sekali/broker/connect'
import { listenToKeys } from '@sekali/broker/keys'
import { findEndedSessions, readSessionSecret } from '@sekali/broker/sessions'
import type { Logger } from '@sekali/process/log'
import { appendAudit } from '@sekali/store/audit'
import { noteUses } from '@sekali/store/change-keys'
import type { Store } from '@sekali/store/connect'
import { keyIdIn } from '@sekali/store/key-text'
import { findKeys } from '@sekali/store/keys'
import { readKeysVersion, readLiveKeys } from '@sekali/store/live-keys'
import type { Clients } from '../clients/clients.ts'
import { createRate } from '../clients/rate.ts'
import type { AdmittedOptions } from './admitted.ts'
import { type Authenticator, createAuthenticator } from './authenticate.ts'
import { byOf } from './by.ts'
import type { OnDenied } from './guard.ts'
import { createLiveKeys } from './live-keys.ts'
import { namedPath } from './named-path.ts'
import { createTokens, type TokenOptions } from './tokens.ts'

export interface AccessDeps {
  readonly broker: Broker
  /** Sessions are looked up on it: what takes long there must not hold up what appends. */
  readonly figuresBroker: Broker
  readonly store: Store
  readonly clients: Clients
  readonly log: Logger
  readonly random: () => number
}

export interface AccessOptions extends AdmittedOptions {
  readonly tokens?: TokenOptions | undefined
}

/** Asks whoever comes for a key or token, until it is disposed of. Throws `InvalidConfig`. */
export function wireAccess(
  { broker, figuresBroker, store, ...deps }: AccessDeps,
  options: AccessOptions = {},
): Authenticator {
  const live = createLiveKeys(
    { readVersion: () => readKeysVersion(store), readLive: (keysMax) => readLiveKeys(store, keysMax) },
    options,
  )
  const authenticator = createAuthenticator(
    {
      ...deps,
      live,
      find: (ids) => findKeys(store, ids, deps.log),
      note: (uses) => noteUses(store, uses),
      idOf: keyIdIn,
      readSecret: () => readSessionSecret(figuresBroker),
      findEnded: (names) => findEndedSessions(figuresBroker, names),
      tokens: options.tokens && createTokens(options.tokens, deps.log),
    },
    options,
  )
  const hints = listenToKeys(broker, (id) => {
    live.doubt(id)
    void authenticator.refresh()
  })
  return {
    ...authenticator,
    endKey(id) {
      live.doubt(id)
      authenticator.endKey(id)
    },
    async [Symbol.asyncDispose]() {
      await hints[Symbol.asyncDispose]()
      await live[Symbol.asyncDispose]()
      await authenticator[Symbol.asyncDispose]()
    },
  }
}

/** Denials of one holder that the audit log gets: whoever tries again and again must not fill it. */
const deniedRate = { burst: 10, perSecond: 0.1 }
/** And of one holder about one target: a page that asks every few seconds says it once an hour. */
const sameRate = { burst: 1, perSecond: 1 / 3_600 }

/** Writes into the audit log that somebody was denied what administrators do; the log of the process has the rest. */
export function auditDenials({
  store,
  clients,
  log,
}: Pick<AccessDeps, 'store' | 'clients' | 'log'>): OnDenied {
  const rate = createRate(deniedRate)
  const same = createRate(sameRate)
  return (request, path) => {
    const by = byOf(request, clients)
    const target = `${request.method} ${namedPath(path, request.url)}`
    const which = `${by.actor} ${target}`
    if (same.take(which, 1) > 0) return log.debug({ actor: by.actor, target }, 'denied again')
    if (rate.take(by.actor, 1) > 0) {
      same.giveBack(which, 1)
      return log.warn({ actor: by.actor }, 'denied again')
    }
    appendAudit(store, { ...by, action: 'denied', target }).catch((err: unknown) => {
      same.giveBack(which, 1)
      log.warn({ err, actor: by.actor, target }, 'denial was not audited')
    })
  }
}
