import * as v from 'valibot'
import type { Issue } from '../errors.ts'
import { limits } from '../limits.ts'
import { EventFields, type FieldName, fieldNames, isObject } from './event.ts'
import type { PayloadText } from './payload.ts'
import { fitsInBytes, isShortString, type Sent } from './sent.ts'

/** Adds everything that does not fit to `issues`. */
export function explain(sent: Sent, issues: Issue[]): undefined {
  const fields: Record<string, unknown> = {}
  for (const name of fieldNames) {
    const json = name === 'payload' ? sent.payload?.text : sent[name]
    if (json !== undefined) fields[name] = asSent(name, json)
  }
  const parsed = v.safeParse(EventFields, fields, { abortPipeEarly: true })
  if (parsed.issues) issues.push(...parsed.issues.map(toIssue))
  if (sent.payload !== undefined && isObject(fields.payload)) addPayloadIssues(sent.payload, issues)
  addUnknownFieldIssues(sent.unknown, issues)
}

/** As much of a value as the schema asks for. What is too long to fit is as good as none. */
function asSent(name: FieldName, json: string): unknown {
  if (json.startsWith('{')) return {}
  if (json.startsWith('[')) return []
  if (name === 'payload' || !json.startsWith('"')) return null
  return isShortString(json) ? JSON.parse(json) : ''
}

function toIssue(issue: v.BaseIssue<unknown>): Issue {
  const path = String(issue.path?.[0]?.key)
  // A missing member is reported by the object, a bad one by the member's own schema.
  if (issue.type === 'object') return { path, code: 'missing_field', message: 'is required' }
  return { path, code: `invalid_${path}`, message: issue.message }
}

function addPayloadIssues({ text = '', depth, isUnstorable }: PayloadText, issues: Issue[]): void {
  const refuse = (code: string, message: string) => issues.push({ path: 'payload', code, message })
  if (!fitsInBytes(text, limits.payloadBytesMax)) {
    refuse('payload_too_large', `must be at most ${limits.payloadBytesMax} bytes of JSON`)
  }
  if (depth > limits.payloadDepthMax) {
    refuse('payload_too_deep', `must be at most ${limits.payloadDepthMax} levels of objects and arrays`)
  }
  if (isUnstorable) {
    refuse(
      'invalid_payload',
      'must not contain \\u0000 or half surrogate pairs, neither in strings nor in keys',
    )
  }
}

/** The names are the client's own text: a few of them, cut, are enough to find the mistake. */
function addUnknownFieldIssues(keys: readonly string[], issues: Issue[]): void {
  const names = new Set(keys.map((key) => JSON.parse(key) as string))
  const isCloudEvent = names.has('specversion')
  for (const name of names) {
    const message =
      (isCloudEvent ? cloudEventFields.get(name) : undefined) ??
      'is not a field of an event; put it into the payload'
    issues.push({ path: name.slice(0, 64).toWellFormed(), code: 'unknown_field', message })
  }
}

/** What to do with the attributes of a CloudEvent, by which many begin. */
const cloudEventFields: ReadonlyMap<string, string> = new Map([
  [
    'specversion',
    'is of a CloudEvent, which is not taken as it is: send topic, event_id (its id), source, timestamp (its time) and payload (its data)',
  ],
  ['id', 'is called event_id here'],
  ['time', 'is called timestamp here'],
  ['data', 'is called payload here'],
  ['type', 'is not a field of an event; it may make the topic, or be put into the payload'],
])
