/**
 * What a session's cookie says, and who can have written it: `<key id>.<end>.<nonce>.<signature>`, the end in seconds since
 * 1970. The signature is HMAC-SHA-256 by a secret that only Redis has, over all of it and the hash of the key, which only
 * PostgreSQL has. So a copy of either server signs nothing, and a session of a key that is not known is one of nobody.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

export const sessionCookie = 'sekali_session'

export interface Session {
  readonly keyId: string
  readonly endsAtMs: number
  /** Another for each session, public: `<end>.<nonce>`. */
  readonly name: string
  readonly signature: string
}

const shape = /^([0-9A-Za-z]{12})\.((\d{10})\.[\w-]{22})\.([\w-]{43})$/

/** Undefined if it is written in another way. It may be anybody's writing. */
export function parseSession(text: string): Session | undefined {
  const [, keyId = '', name = '', end = '', signature = ''] = shape.exec(text) ?? []
  return keyId === '' ? undefined : { keyId, name, endsAtMs: Number(end) * 1_000, signature }
}

/** A session of a key, by its SHA-256. */
export function writeSession(secret: string, keyId: string, keyHash: Buffer, endsAtMs: number): string {
  const name = `${Math.floor(endsAtMs / 1_000)}.${randomBytes(16).toString('base64url')}`
  return `${keyId}.${name}.${signatureOf(secret, { keyId, name }, keyHash)}`
}

/** Whether a gateway has signed it, for the key with this SHA-256. */
export const isSigned = (secret: string, session: Session, keyHash: Buffer): boolean =>
  timingSafeEqual(Buffer.from(signatureOf(secret, session, keyHash)), Buffer.from(session.signature))

// Each part has one length, or no dot: no two sessions are one text.
const signatureOf = (secret: string, { keyId, name }: Pick<Session, 'keyId' | 'name'>, keyHash: Buffer) =>
  createHmac('sha256', secret).update(`${keyId}.${name}.`).update(keyHash).digest('base64url')

/** A new secret, of as many bits as the signature. */
export const makeSecret = (): string => randomBytes(32).toString('base64url')

const charsMax = 256

/** What the cookie of a request says, if there is one. */
export function sessionIn({ headers: { cookie } }: Pick<IncomingMessage, 'headers'>): string | undefined {
  if (cookie === undefined) return undefined
  for (const pair of cookie.split(';')) {
    const at = pair.indexOf('=')
    if (at === -1 || pair.slice(0, at).trim() !== sessionCookie) continue
    return pair.slice(at + 1, at + 1 + charsMax).trim()
  }
  return undefined
}
