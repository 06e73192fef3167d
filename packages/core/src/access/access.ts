/** What a client may do: scopes, on the topics that some patterns name. */
import { matches, parsePattern, type TopicPattern } from '../log/pattern.ts'

/**
 * publish events · read events and what comes of them · work off subscriptions: pull and settle · admin: drop, rebuild,
 * manage keys and subscriptions. None includes another.
 */
export const scopes = ['publish', 'read', 'work', 'admin'] as const
export type Scope = (typeof scopes)[number]

export interface Grant {
  /** Who it is, for logs and the audit log: the id of a key, or another name. Never a secret. */
  readonly holder: string
  readonly scopes: readonly Scope[]
  readonly topics: readonly TopicPattern[]
  /** The one source that it may publish as. Without it any will do. */
  readonly source?: string
  /** What it may publish in a second, and at once. Without them only the limits of all clients hold. */
  readonly eventsPerSecond?: number
  readonly bytesPerSecond?: number
}

/** What everyone may do where no keys are asked for. */
export const everything: Grant = { holder: 'anyone', scopes, topics: [parsePattern('>')] }

/** Whether a source says anything of what these scopes allow: to publish, or to make keys that publish. */
export const isBoundBySource = (given: readonly Scope[]): boolean =>
  given.some((scope) => scope === 'publish' || scope === 'admin')

/**
 * Whether whoever has the first scopes may give the scope to a key. An administrator who reads can make a subscription,
 * read what it hands out and seek, so `work` is nothing more: administrators of before there was `work` can give it, too.
 */
export const mayGive = (own: readonly Scope[], scope: Scope): boolean =>
  own.includes(scope) || (scope === 'work' && own.includes('admin') && own.includes('read'))

export const allowsTopic = ({ topics }: Pick<Grant, 'topics'>, topic: string): boolean =>
  topics.some((pattern) => matches(pattern, topic))

/** Whether one of its patterns matches every topic that the other can match, today or ever. */
export const allowsPattern = ({ topics }: Pick<Grant, 'topics'>, pattern: TopicPattern): boolean =>
  topics.some((allowed) => covers(allowed, pattern))

/** Whether the first matches whatever the second matches. */
function covers({ text: outer }: TopicPattern, { text: inner }: TopicPattern): boolean {
  const wanted = inner.split('.')
  const allowed = outer.split('.')
  for (const [index, segment] of allowed.entries()) {
    const other = wanted[index]
    if (other === undefined) return false
    if (segment === '>') return true
    if (other === '>' || (segment !== '*' && segment !== other)) return false
  }
  return wanted.length === allowed.length
}
