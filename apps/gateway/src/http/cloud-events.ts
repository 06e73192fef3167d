/**
 * CloudEvents are not taken yet: there is no rule which of their attributes makes the topic. The refusal names CloudEvents
 * and what to send instead: a list of five missing fields would explain neither.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 */
import type { IncomingHttpHeaders } from 'node:http'
import { typeOf } from './media.ts'

const instead =
  'is not taken here. Send application/json with topic (its type, perhaps), event_id (its id), source (its source), timestamp (its time) and payload (its data).'

/** The detail for a request that cannot be taken, if it is a CloudEvent. */
export function cloudEventHint(headers: IncomingHttpHeaders): { readonly detail: string } | undefined {
  if (/^application\/cloudevents(?:-batch)?(?:\+|$)/.test(typeOf(headers['content-type']))) {
    return { detail: `A CloudEvent in structured or batched mode ${instead}` }
  }
  const isBinary = Object.keys(headers).some((name) => name === 'ce-specversion' || name === 'ce-id')
  return isBinary
    ? { detail: `A CloudEvent in binary mode (its attributes are ce- headers) ${instead}` }
    : undefined
}
