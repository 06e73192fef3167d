/** Dead letters, conflicts and deliveries as the API has them. */
import type { Letter, LetterContent, LetterWithContent as ParsedLetter } from '@sekali/client/operate'
import { call, pathOf } from '../../http/call.ts'
import { sliceObject } from '../../text/slices.ts'

/** What an event says; the payload as the text that was sent. */
export type Content = Omit<LetterContent, 'payload'> & { readonly payload: string }

type ContentName = 'event' | 'received' | 'stored'

export type LetterWithContent = Omit<ParsedLetter, ContentName> & {
  readonly [name in ContentName]?: Content
}

export async function readLetter(id: string, signal: AbortSignal): Promise<LetterWithContent> {
  return letterOf((await call(pathOf(['dead-letters', id]), { signal })).text)
}

/** Payloads are cut out of the answer's own text. */
export function letterOf(text: string): LetterWithContent {
  const members = sliceObject(text)
  const contents = (['event', 'received', 'stored'] as const).flatMap((name) => {
    const member = members.get(name)
    return member === undefined ? [] : [[name, contentOf(member)]]
  })
  return { ...(JSON.parse(text) as LetterWithContent), ...Object.fromEntries(contents) }
}

function contentOf(text: string): Content {
  const { timestamp, source } = JSON.parse(text) as Content
  return { timestamp, source, payload: sliceObject(text).get('payload') ?? '' }
}

export const kindWords: Readonly<Record<Letter['kind'], string>> = {
  entry: 'dead letter',
  conflict: 'conflict',
  delivery: 'delivery',
}

/** Where a letter is, in a word or two. */
export const stateWords = ({ settled }: Letter): string =>
  settled === undefined ? 'open' : settled.became.replace('_', ' ')

/** What a reason means; a SQLSTATE by its class (PostgreSQL, appendix A). */
export function reasonWords(reason: string): string {
  if (reason === 'conflict') return 'its id is taken'
  if (reason === 'malformed_entry') return 'no event'
  if (reason === 'exhausted') return 'too many attempts'
  if (reason === 'terminated') return 'a worker gave it up'
  if (reason === 'key_collision') return 'another id has its key'
  const known: Record<string, string> = {
    '22': 'a value does not fit',
    '23': 'a constraint refused it',
    '54': 'too large',
    P0: 'a trigger refused it',
  }
  return known[reason.slice(0, 2)] ?? 'refused'
}
