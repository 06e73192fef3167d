// What a load may be. `npm run demo` reads it too, to refuse before anything starts what the publisher would refuse then.
import { isTopicName } from '@sekali/core/event'
import { InvalidArgumentError } from 'commander'

export interface Load {
  readonly events: number
  /** The share of the events that repeat another one. */
  readonly duplicates: number
}

export function repeatsOf({ events, duplicates }: Load): number {
  return Math.round(events * duplicates)
}

/** What is wrong with a load as a whole, in words for the command line; `undefined` if nothing is. */
export function complaintAbout(load: Load): string | undefined {
  if (load.events > repeatsOf(load)) return undefined
  return 'error: with this share of duplicates no event is left for them to repeat'
}

/** A commander parser: 0.3 and 30% are the same share. */
export function share(text: string): number {
  const [, digits, percent] = /^(\d+(?:\.\d+)?|\.\d+)( ?%)?$/.exec(text) ?? []
  const value = Number(digits) / (percent === undefined ? 1 : 100)
  if (value < 1) return value
  throw new InvalidArgumentError('It must be a share from 0 to less than 1, such as 0.3 or 30%.')
}

/** A commander parser. */
export function seed(text: string): string {
  if (/^[\w.-]{1,64}$/.test(text)) return text
  throw new InvalidArgumentError('It must be 1 to 64 of A-Z a-z 0-9 _ . -')
}

/** A commander parser of names with commas between them, which may be given again and again. */
export function topicNames(text: string, before: readonly string[] | undefined): string[] {
  const names = text.split(',').filter(Boolean)
  const stray = names.find((name) => !isTopicName(name))
  if (names.length > 0 && stray === undefined) return [...new Set([...(before ?? []), ...names])]
  throw new InvalidArgumentError(`${stray ?? 'Nothing'} is not the name of a topic, such as orders.eu.paid.`)
}
