import { isBoundBySource, scopes } from '@sekali/core/access'
import { holdsKey, isKeyId, keyIdRule } from '@sekali/core/key'
import * as v from 'valibot'
import { Count, Instant, InstantText, Seq, SourceText, TopicPattern } from './text.ts'

/** The public part of a key. */
export const KeyId = v.pipe(
  v.string(keyIdRule),
  v.check(isKeyId, keyIdRule),
  v.metadata({ pattern: '^[0-9A-Za-z]{12}$' }),
)

const nameCharsMax = 128
const nameRule = `must be 1 to ${nameCharsMax} characters without control characters`

/** Names, topics and sources are shown to others, and go into the audit log. */
const noKeyRule = 'must not have a key in it'
const hasNoKey = <Text extends string>() => v.check<Text, string>((text) => !holdsKey(text), noKeyRule)

/** Shown in lists and in a terminal, hence nothing that moves the cursor. */
const KeyName = v.pipe(
  v.string(nameRule),
  v.minLength(1, nameRule),
  v.maxLength(nameCharsMax, nameRule),
  v.regex(/^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]*$/u, nameRule),
  hasNoKey(),
)

const scopesRule = `must be an array of one or more of ${scopes.join(', ')}, each once`

const KeyScopes = v.pipe(
  v.array(v.picklist(scopes, `must be one of ${scopes.join(', ')}`), scopesRule),
  v.minLength(1, scopesRule),
  v.maxLength(scopes.length, scopesRule),
  v.check((given) => new Set(given).size === given.length, scopesRule),
)

const patternsMax = 32
const topicsRule = `must be an array of 1 to ${patternsMax} topics or patterns`

const KeyTopics = v.pipe(
  v.array(v.pipe(TopicPattern, hasNoKey()), topicsRule),
  v.minLength(1, topicsRule),
  v.maxLength(patternsMax, topicsRule),
)

const perSecondMax = 1e12
const perSecondRule = `must be a whole number from 1 to ${perSecondMax}`

const PerSecond = v.pipe(
  v.number(perSecondRule),
  v.integer(perSecondRule),
  v.minValue(1, perSecondRule),
  v.maxValue(perSecondMax, perSecondRule),
)

const NewKeyFields = v.strictObject(
  {
    name: v.pipe(KeyName, v.description('For people, who see it in lists.')),
    scopes: v.pipe(KeyScopes, v.description('None includes another.')),
    topics: v.pipe(KeyTopics, v.description('Topics and patterns. Without wildcards in it is one topic.')),
    source: v.optional(
      v.pipe(
        SourceText,
        hasNoKey(),
        v.description('The one source that it may publish as; only with `publish` or `admin`.'),
      ),
    ),
    events_per_second: v.optional(v.pipe(PerSecond, v.description('That it may publish, and at once.'))),
    bytes_per_second: v.optional(v.pipe(PerSecond, v.description('Of bodies that it may publish.'))),
    expires_at: v.optional(
      v.pipe(
        InstantText,
        v.description('Not after the end of the key that makes it. Without it the key does not expire.'),
      ),
    ),
  },
  'must be a JSON object',
)

const sourceRule = 'is for keys that publish, or that make keys which do: leave it out, or add the scope'

/** What a key is to be, as `POST /keys` takes it. */
export const NewKey = v.pipe(
  NewKeyFields,
  v.forward(
    v.check(({ scopes, source }) => source === undefined || isBoundBySource(scopes), sourceRule),
    ['source'],
  ),
)

const daysMax = 7
const oldExpiresMax = daysMax * 86_400
const oldExpiresRule = `must be a whole number of seconds from 0 to ${oldExpiresMax}, which are ${daysMax} days`

/** What `POST /keys/{id}/rotate` takes. */
export const Rotation = v.strictObject(
  {
    old_expires_in_seconds: v.pipe(
      v.number(oldExpiresRule),
      v.integer(oldExpiresRule),
      v.minValue(0, oldExpiresRule),
      v.maxValue(oldExpiresMax, oldExpiresRule),
      v.description('For how long the old key still works; 0 ends it at once.'),
    ),
  },
  'must be a JSON object',
)

const keyEntries = {
  id: KeyId,
  name: v.string(),
  status: v.pipe(
    v.picklist(['live', 'expired', 'revoked']),
    v.description('Only a live one opens anything.'),
  ),
  scopes: v.array(v.picklist(scopes)),
  topics: v.array(v.string()),
  source: v.optional(v.string()),
  events_per_second: v.optional(Count),
  bytes_per_second: v.optional(Count),
  created_at: Instant,
  created_by: v.pipe(v.string(), v.description('The id of the key that made it, or who else did.')),
  expires_at: v.nullable(Instant),
  revoked_at: v.nullable(Instant),
  last_used_at: v.pipe(v.nullable(Instant), v.description('To the minute or so.')),
  successor: v.pipe(v.nullable(KeyId), v.description('The id of the key that took its place.')),
}

/** A key without its text, which nobody has but its holder. */
export const Key = v.object(keyEntries)

/** A key that has just been made. */
export const KeyWithText = v.object({
  key: v.pipe(v.string(), v.description('The key itself. It is shown here and never again.')),
  ...keyEntries,
})

export const AuditEntry = v.object({
  number: v.pipe(Seq, v.description('1, 2, 3 … without a gap.')),
  at: Instant,
  actor: v.pipe(v.string(), v.description('The id of the key that did it, or who else did.')),
  client: v.pipe(
    v.nullable(v.string()),
    v.description('The address it came from; null if from the machine itself.'),
  ),
  action: v.string(),
  target: v.pipe(v.string(), v.description('The id or name of what it was done to.')),
  details: v.record(v.string(), v.unknown()),
})
