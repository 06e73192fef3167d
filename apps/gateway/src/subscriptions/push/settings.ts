/** What a body says of an endpoint: held against the guard, and its secrets sealed. */
import type { NewSubscription } from '@sekali/api/subscription'
import type { Issue } from '@sekali/core/errors'
import type { PushSettings, SealedHeaders } from '@sekali/store/push-types'
import { checkUrl } from '@sekali/webhook/guard'
import { checkHeaders } from '@sekali/webhook/headers'
import type { SealKey } from '@sekali/webhook/key'
import { headersContext, seal, tagOf } from '@sekali/webhook/seal'
import type * as v from 'valibot'
import type { Webhooks } from './webhooks.ts'

export type NewPush = Extract<v.InferOutput<typeof NewSubscription>, { kind: 'push' }>

/** What is wrong with where it leads and what it sends along; nothing is looked up for it. */
export function issuesOf(
  { url, headers = {}, batch_max: batchMax, retry_s: waits }: NewPush,
  { allow }: Pick<Webhooks, 'allow'>,
): Issue[] {
  // And as it is kept: with its escapes it may be longer.
  const ofUrl = checkUrl(url, allow) ?? checkUrl(written(url), allow)
  if (ofUrl !== undefined) return [{ path: 'url', code: 'invalid_url', message: ofUrl.reason }]
  if (batchMax > 1 && waits.length === 0) return [withoutRetry]
  const ofHeaders = checkHeaders(headers)
  if (ofHeaders === undefined) return []
  return [{ path: `headers.${ofHeaders.name}`, code: 'invalid_headers', message: ofHeaders.reason }]
}

/** Of an array all have failed, and only retries tell which of them it was. */
const withoutRetry: Issue = {
  path: 'retry_s',
  code: 'invalid_wait',
  message: 'must have at least one wait if batch_max is more than 1',
}

/** As a URL is written, whatever it was given as: PostgreSQL has no text with a NUL in it, or half a pair, and escapes are none. */
const written = (url: string): string => URL.parse(url)?.href ?? url

export const settingsOf = (name: string, body: NewPush, key: SealKey): PushSettings => ({
  url: written(body.url),
  headers: sealedHeaders(name, body.headers ?? {}, key),
  concurrency: body.concurrency,
  ratePerSecond: body.rate_per_s ?? null,
  timeoutSeconds: body.timeout_s,
  body: body.body,
  batchMax: body.batch_max,
  retrySeconds: body.retry_s,
  onExhausted: body.on_exhausted,
})

/** The tag tells whether they are the same as before, which the sealed text does not: it is another one each time. */
function sealedHeaders(
  name: string,
  headers: Readonly<Record<string, string>>,
  key: SealKey,
): SealedHeaders | null {
  const entries = Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1))
  if (entries.length === 0) return null
  const text = JSON.stringify(Object.fromEntries(entries))
  return {
    names: entries.map(([one]) => one),
    sealed: seal(key, text, headersContext(name)),
    tag: tagOf(key, text),
  }
}
