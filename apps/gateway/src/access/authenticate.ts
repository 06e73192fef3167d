/**
 * Finds out who sends a request, before any route sees it.
 *
 * What is shown is known by its SHA-256: of what was let in once no more is asked than that (admitted.ts). Anything else
 * takes one way, whatever is wrong with it: the key is read by its id and its hash is compared, with one of nobody if
 * there is no such key. So an unknown id and a wrong secret are answered alike, and as late. What was refused is remembered
 * for a while. Of an address that shows much that is refused, look-ups are late and bounded (late-lookups.ts), and what is
 * refused then is only told to wait: so a flood of made-up keys learns little and costs little, and a good one gets in.
 */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Logger } from '@sekali/process/log'
import { createBudget } from '../clients/budget.ts'
import type { Clients } from '../clients/clients.ts'
import { createRate } from '../clients/rate.ts'
import { isTwice } from '../http/host.ts'
import { refusal, refusalOf } from '../http/problem.ts'
import type { Answer } from '../http/reply.ts'
import { type AdmittedDeps, type AdmittedOptions, createAdmitted } from './admitted.ts'
import { badBearer, badSession, isWellWritten, mistyped } from './bearer.ts'
import { createDigests } from './digests.ts'
import { watchEndedSessions } from './ended-sessions.ts'
import { createKeyReads, type KeyRecord, whyNot } from './key-reads.ts'
import { createLateLookups } from './late-lookups.ts'
import type { LiveKeys } from './live-keys.ts'
import type { Principal } from './principals.ts'
import { createRefused } from './refused.ts'
import { createSessionLog } from './session-log.ts'
import { createSessionLookups, type SessionLookupDeps } from './session-lookups.ts'
import { parseSession } from './session-text.ts'
import { isOver, type Shown, shownBy } from './shown.ts'
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
  /** The session with this name was ended. */
  endSession(name: string): void
}

export interface AuthenticatorDeps extends AdmittedDeps, SessionLookupDeps {
  readonly clients: Clients
  /** What is asked while PostgreSQL is away. */
  readonly live: Pick<LiveKeys, 'of' | 'ofId' | 'areKnown'>
  /** The id in the text of a key whose checksum is right. */
  readonly idOf: (text: string) => string | undefined
  readonly tokens?: Tokens | undefined
  readonly log: Logger
  readonly random: () => number
}

/** Keys, sessions and tokens that are looked up at a time. */
const lookupsMax = 1_024
/** What a client may show that is refused, at once and in a second. */
const refusedRate = { burst: 50, perSecond: 5 }
/** Of one client, what is let through in a round beyond that. To verify a signature takes the processor of this process. */
const lateMax = { key: 125, session: 125, token: 25 }
/** How often a key is read that may have changed meanwhile. */
const readsMax = 3
/** Nobody has it. */
const noHash = Buffer.alloc(32)

export function createAuthenticator(deps: AuthenticatorDeps, options?: AdmittedOptions): Authenticator {
  const { clients, idOf, tokens, log, random } = deps
  const admitted = createAdmitted(deps, options)
  const digests = createDigests()
  const readKey = createKeyReads(deps.find)
  const lookups = createBudget(lookupsMax, 'too many keys are looked up')
  const rate = createRate(refusedRate)
  const late = {
    key: createLateLookups(lateMax.key, random),
    session: createLateLookups(lateMax.session, random),
    token: createLateLookups(lateMax.token, random),
  }
  const { sessions, endSession } = admitted
  const watching = watchEndedSessions({ ...deps, sessions, onEnded: endSession }, options?.refreshMs)
  const lookUpSession = createSessionLookups({ ...deps, readKey: readOrKnown, admitted })
  const refused = createRefused()
  const sessionLog = createSessionLog(log, clients)
  const underWay = new Map<string, Promise<Principal | Answer>>()
  let changes = 0

  /** Rejects as the servers and the issuer do. */
  async function lookUp(shown: Shown, request: IncomingMessage): Promise<Principal | Answer> {
    const client = clients.of(request)
    // Taken first: of many that come at once each would find room otherwise.
    const waitSeconds = rate.take(client, 1)
    const isLate = waitSeconds > 0
    if (isLate && !(await late[shown.kind].pass(client))) return tooManyRefused(waitSeconds)
    using share = lookups.share(client)
    let isWrong = false
    try {
      share.hold(1)
      const found = await lookUpBy[shown.kind](shown)
      if ('grant' in found) return found
      isWrong = true
      if (shown.kind === 'session') sessionLog.say('info', 'session refused', { key: keyOf(shown), request })
      if (isLate) return tooManyRefused(waitSeconds)
      refused.add(shown.digest, found)
      return found
    } catch (err) {
      if (shown.kind === 'session') {
        sessionLog.say('warn', 'session cannot be looked up', { key: keyOf(shown), request, err })
      }
      throw err
    } finally {
      if (!isLate && !isWrong) rate.giveBack(client, 1)
    }
  }

  async function lookUpKey({ text, digest }: Shown): Promise<Principal | Answer> {
    const id = idOf(text) ?? ''
    const { record, at } = await readOrKnown(id, () => deps.live.of(digest))
    const isTheirs = timingSafeEqual(record?.hash ?? noHash, Buffer.from(digest, 'hex'))
    if (record === undefined || !isTheirs) return badBearer()
    const why = whyNot(record, digest)
    return why === undefined ? admitted.addKey(digest, id, record, at) : badBearer(why)
  }

  /** The key of an id; while PostgreSQL is away, the one that is known, with when it was confirmed. */
  async function readOrKnown(id: string, known = () => deps.live.ofId(id)) {
    try {
      return { record: await readUnchanged(id) }
    } catch (error) {
      const live = known()
      if (live === undefined) throw error
      return { record: live.record, at: live.confirmedAt }
    }
  }

  /** Again if a key was changed meanwhile: what was read may be older, and nothing would end what it lets in so soon. */
  async function readUnchanged(id: string): Promise<KeyRecord | undefined> {
    for (let reads = 1; ; reads++) {
      const changesBefore = changes
      const record = await readKey(id)
      if (changes === changesBefore || reads === readsMax) return record
    }
  }

  async function lookUpToken({ text, digest }: Shown): Promise<Principal | Answer> {
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

  const lookUpBy: Record<Shown['kind'], (shown: Shown) => Promise<Principal | Answer>> = {
    key: lookUpKey,
    token: lookUpToken,
    session: async ({ text, digest }) => {
      const session = parseSession(text)
      return session === undefined ? badSession() : await lookUpSession(session, digest)
    },
  }

  /** The answer to what cannot be good, without a look-up. */
  function refusalOfWriting({ kind, text }: Shown): Answer | undefined {
    if (kind === 'session') return isOver(text) ? badSession() : undefined
    if (!isWellWritten(text)) return badBearer()
    if (kind === 'key') return idOf(text) === undefined ? badBearer(mistyped) : undefined
    return tokens === undefined ? badBearer() : undefined
  }

  /** What is shown for the first time: one look-up for all who show it. */
  function lookUpOnce(shown: Shown, request: IncomingMessage): Promise<Principal | Answer> {
    const { digest } = shown
    const under = underWay.get(digest)
    if (under !== undefined) return under
    const begun = lookUp(shown, request)
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
      const shown = shownBy(request)
      if ('status' in shown) return shown
      const { kind, digest } = shown
      const admittedAs = admitted.of(digest)
      if (admittedAs !== undefined) {
        if (kind !== 'session') digests.keep(request.headers.authorization ?? '', digest)
        return admittedAs
      }
      return refused.of(digest) ?? refusalOfWriting(shown) ?? lookUpOnce(shown, request)
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
    endSession,
    async [Symbol.asyncDispose]() {
      await watching[Symbol.asyncDispose]()
      await admitted[Symbol.asyncDispose]()
    },
  }
}

const keyOf = ({ text }: Shown): string => parseSession(text)?.keyId ?? 'none'

const tooManyRefused = (waitSeconds: number): Answer =>
  refusal('rate_limited', {
    detail: 'Too many keys that are not valid came from this address. Try again later.',
    headers: { 'Retry-After': String(Math.ceil(waitSeconds)) },
  })
