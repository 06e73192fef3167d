/**
 * Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md): an id, a time and a
 * signature of both and of the body. Signatures of several secrets stand side by side, so that a secret can be rotated.
 */
import {
  createHash,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import { webhookLimits } from './limits.ts'

const prefix = 'whsec_'
const secretBytes = 32

/** What is delivered: the id, when, and the body as it goes out. */
export interface Signable {
  readonly id: string
  /** Whole seconds since 1970. */
  readonly timestampSeconds: number
  readonly body: string | Buffer
}

/** What arrived, as the headers `webhook-id`, `webhook-timestamp` and `webhook-signature` say, and the body byte for byte. */
export interface Signed {
  readonly id: string
  readonly timestamp: string
  readonly signature: string
  readonly body: string | Buffer
}

/** `too_old`, `too_new`: signed with the secret, but too long ago, or in the future: it may be a replay. */
export type Verdict = 'ok' | 'no_match' | 'too_old' | 'too_new' | 'malformed'

export const newSecret = (): string => prefix + randomBytes(secretBytes).toString('base64')

/** Whether a text is a secret as Standard Webhooks has them: `whsec_` and 24 to 64 bytes in base64. */
export const isSecret = (text: string): boolean => keyOf(text) !== undefined

/**
 * The key of a secret; `undefined` where the text is none. Node takes five times as long to sign with a key that is bytes as with
 * an object of its own.
 */
function keyOf(secret: string): KeyObject | undefined {
  const text = secret.startsWith(prefix) ? secret.slice(prefix.length) : undefined
  if (text === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined
  const key = Buffer.from(text, 'base64')
  const { secretBytesMin, secretBytesMax } = webhookLimits
  const isWhole = key.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '')
  return isWhole && key.length >= secretBytesMin && key.length <= secretBytesMax
    ? createSecretKey(key)
    : undefined
}

/**
 * The same for every attempt of an event, and after a restore too. Not the seq, which a restored database may give to another
 * event, and not the event's id, which may hold a dot, as signatures do between their parts.
 */
export const webhookId = (topic: string, eventId: string): string => `evt_${digestOf(`${topic}\0${eventId}`)}`

/** The id of a request with these events: of one event its own, and of the same ones in the same order the same. */
export const batchId = ([first = '', ...rest]: readonly string[]): string =>
  rest.length === 0 ? first : `batch_${digestOf([first, ...rest].join('\0'))}`

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 27)

const macOf = (key: KeyObject, id: string, timestamp: string, body: string | Buffer): Buffer =>
  createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()

export type SigningKey = KeyObject

/** What `sign` wants of a secret. Throws for what is none. */
export function signingKeyOf(secret: string): SigningKey {
  const key = keyOf(secret)
  if (key === undefined) throw new TypeError('not a secret of a webhook')
  return key
}

/** The value of `webhook-signature`: one signature for each key, the first key's first. */
export function sign({ id, timestampSeconds, body }: Signable, keys: readonly SigningKey[]): string {
  if (keys.length === 0) throw new TypeError('nothing to sign with')
  const timestamp = String(timestampSeconds)
  return keys.map((key) => `v1,${macOf(key, id, timestamp, body).toString('base64')}`).join(' ')
}

/** Holds what arrived against secrets, of which one is enough. Signatures of other versions than `v1` are passed over. */
export function verify(
  { id, timestamp, signature, body }: Signed,
  secrets: readonly string[],
  { nowMs = Date.now(), toleranceSeconds = 300 } = {},
): Verdict {
  const keys = secrets.map(keyOf).filter((key) => key !== undefined)
  if (id === '' || !/^\d{1,12}$/.test(timestamp) || keys.length === 0) return 'malformed'
  const macs = signature
    .split(' ')
    .filter((one) => one.startsWith('v1,'))
    .map((one) => Buffer.from(one.slice('v1,'.length), 'base64'))
  if (macs.length === 0) return 'malformed'
  const matches = keys.some((key) => {
    const expected = macOf(key, id, timestamp, body)
    return macs.some((mac) => mac.length === expected.length && timingSafeEqual(mac, expected))
  })
  if (!matches) return 'no_match'
  const ageSeconds = nowMs / 1_000 - Number(timestamp)
  if (ageSeconds > toleranceSeconds) return 'too_old'
  return ageSeconds < -toleranceSeconds ? 'too_new' : 'ok'
}
