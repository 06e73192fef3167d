/** A browser's session: how it begins, who it is of, how it ends. */
import { hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Broker } from '@sekali/broker/connect'
import { endSession, ensureSessionSecret } from '@sekali/broker/sessions'
import type { AuthMode } from '@sekali/process/auth'
import type { Logger } from '@sekali/process/log'
import type { Clients } from '../clients/clients.ts'
import { createRate } from '../clients/rate.ts'
import { problem } from '../http/problem.ts'
import { reply, toResponse } from '../http/reply.ts'
import type { Handler } from '../http/router.ts'
import type { Authenticator } from './authenticate.ts'
import { badBearer, bearerOf } from './bearer.ts'
import { type Principal, principalOf } from './principals.ts'
import { createSessionLog, type SessionLog } from './session-log.ts'
import { makeSecret, sessionCookie, writeSession } from './session-text.ts'

export interface SessionDeps {
  readonly figuresBroker: Broker
  readonly clients: Clients
  readonly auth: AuthMode
  /** Who lets sessions in here; undefined where no keys are asked for. */
  readonly keys: Pick<Authenticator, 'endSession'> | undefined
  readonly log: Logger
}

interface Parts extends SessionDeps {
  readonly sessionLog: SessionLog
}

/** Whoever works a day logs in once. */
const sessionMs = 12 * 60 * 60_000
/** Of one key. Each session that is left is remembered until it would have ended. */
const loginRate = { burst: 20, perSecond: 1 }
const json = { 'Content-Type': 'application/json' } as const

/** The handlers of /session. */
export function sessionHandlersOf(given: SessionDeps) {
  const deps = { ...given, sessionLog: createSessionLog(given.log, given.clients) }
  return {
    logIn: { handler: begin(deps) },
    readSession: {
      handler: ((c) => reply(200, JSON.stringify(shown(deps, principalOf(c.env?.incoming))))) as Handler,
    },
    logOut: { handler: end(deps) },
  }
}

function begin(deps: Parts): Handler {
  const { figuresBroker, auth, sessionLog } = deps
  const logins = createRate(loginRate)
  return async (c) => {
    if (auth !== 'keys') return problem('auth_off', { detail: 'Nobody is asked for a key here: just go on.' })
    const request = c.env.incoming
    const principal = principalOf(request)
    const { grant, kind, endsAtMs } = principal
    const key = bearerOf(request)
    if (kind === 'session' || typeof key !== 'string') {
      return toResponse(badBearer('A session begins with a key, in Authorization: not with another session.'))
    }
    if (kind === 'token') {
      const detail = 'A session is for keys. Send a token of an issuer with each request.'
      return problem('forbidden', { detail })
    }
    const line = { key: grant.holder, request }
    const waitSeconds = logins.take(grant.holder, 1)
    if (waitSeconds > 0) {
      sessionLog.say('warn', 'session refused: its key begins too many', line)
      return tooManyLogins(waitSeconds)
    }
    const secret = await ensureSessionSecret(figuresBroker, makeSecret()).catch((err: unknown) => {
      sessionLog.say('warn', 'session cannot begin', { ...line, err })
      throw err
    })
    const ends = Math.floor(Math.min(Date.now() + sessionMs, endsAtMs()) / 1_000) * 1_000
    const text = writeSession(secret, grant.holder, hash('sha256', key, 'buffer'), ends)
    const seconds = Math.max(0, Math.ceil((ends - Date.now()) / 1_000))
    const body = shown(deps, { grant, kind: 'session', endsAtMs: () => ends })
    const headers = { ...json, 'Set-Cookie': cookieOf(deps, request, text, seconds) }
    sessionLog.say('info', 'session begun', line)
    return reply(201, JSON.stringify(body), headers)
  }
}

function end(deps: Parts): Handler {
  const { figuresBroker, keys, sessionLog } = deps
  return async (c) => {
    const request = c.env?.incoming
    const { session, grant } = principalOf(request)
    if (session !== undefined) {
      const line = { key: grant.holder, request }
      // Redis first: if it cannot keep it, nothing has ended, and it is said.
      await endSession(figuresBroker, session, Math.floor(Date.now() / 1_000)).catch((err: unknown) => {
        sessionLog.say('warn', 'session cannot end', { ...line, err })
        throw err
      })
      keys?.endSession(session)
      sessionLog.say('info', 'session ended', line)
    }
    const headers = { ...json, 'Set-Cookie': cookieOf(deps, request, '', 0) }
    return reply(200, JSON.stringify({ status: 'logged_out' }), headers)
  }
}

const tooManyLogins = (waitSeconds: number): Response =>
  problem('rate_limited', {
    detail: 'The key begins too many sessions: 20 at once, then one a second.',
    headers: { 'Retry-After': String(Math.ceil(waitSeconds)) },
  })

/**
 * No script can read it, and no page of another site makes a browser send it. Over TLS it never travels in clear text.
 * Without `Path` it is for the folder of `…/session` as the browser sees it, which a proxy may have moved: other pages of the
 * same host do not get it, and gateways behind other prefixes have sessions of their own.
 */
function cookieOf({ clients }: SessionDeps, request: IncomingMessage, text: string, seconds: number): string {
  const secure = clients.isTls(request) ? '; Secure' : ''
  return `${sessionCookie}=${text}; HttpOnly; SameSite=Strict; Max-Age=${seconds}${secure}`
}

type Shown = Pick<Principal, 'grant' | 'kind' | 'endsAtMs'>

function shown({ auth }: Pick<SessionDeps, 'auth'>, { grant, kind = 'key', endsAtMs }: Shown) {
  const isAsked = auth === 'keys'
  const ends = endsAtMs()
  return {
    auth: isAsked ? 'keys' : 'off',
    by: isAsked ? kind : null,
    holder: isAsked ? grant.holder : null,
    scopes: grant.scopes,
    topics: grant.topics.map(({ text }) => text),
    source: grant.source,
    until: Number.isFinite(ends) ? new Date(ends).toISOString() : null,
  }
}
