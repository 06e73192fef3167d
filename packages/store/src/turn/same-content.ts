/**
 * What of two events of one id makes them the same: their sources, and of their payloads what the topic's setting says. A
 * publisher that repeats itself sends the bytes that it sent, so that is what is compared if nobody has said otherwise.
 * There are publishers that make the payload anew for each attempt, with keys in another order; then it is what the JSON
 * means. Never the timestamp: there are clients that stamp each attempt, and to them the second is the same event.
 */
import { hash } from 'node:crypto'
import { canonicalJson } from '@sekali/core/canonical-json'
import type { Event } from '@sekali/core/event'

/** `bytes`: payloads of the same text. `json`: payloads that mean the same (see core/text/canonical-json.ts). */
export type SameContent = 'bytes' | 'json'

/** What decides. */
export interface Content {
  readonly source: string
  /** The payload's text; if it is what the JSON means that counts, a digest of that. */
  readonly content: string
}

/** An event, or as much of it as decides. */
type Decisive = Pick<Event, 'payload'> & { readonly source: string }

/**
 * Gives what decides of events; each is looked at once, however many come under its id. Of JSON it is a digest, so that a
 * turn need not keep large payloads of which it has to know this alone. What no reader of JSON takes, or what goes deeper
 * than the door lets in, counts as it is: somebody else has appended it.
 */
export function contentsBy(by: SameContent): (event: Decisive) => Content {
  if (by === 'bytes') return ({ source, payload }) => ({ source, content: payload })
  const contents = new Map<Decisive, Content>()
  return (event) => {
    const { source, payload } = event
    const content = contents.get(event) ?? { source, content: digestOfJson(payload) ?? payload }
    contents.set(event, content)
    return content
  }
}

/** Of what JSON text means; undefined for what has no canonical form. */
export function digestOfJson(text: string): string | undefined {
  const form = canonicalJson(text)
  return form === undefined ? undefined : hash('sha256', form)
}

/** `b` may have more content than was read of it, which is null then: it is another than that of `a`. */
export const hasSameContent = (a: Content, b: { readonly [Name in keyof Content]: string | null }): boolean =>
  a.source === b.source && a.content === b.content
