import type { IncomingHttpHeaders } from 'node:http'
import { cloudEventHint } from './cloud-events.ts'
import { refusal } from './problem.ts'
import type { Answer } from './reply.ts'

/** What to answer to a body of a media type that is not taken: 415, with those that are. */
export const unsupportedMediaType = (headers: IncomingHttpHeaders): Answer =>
  refusal('unsupported_media_type', {
    ...cloudEventHint(headers),
    headers: { 'Accept-Post': 'application/json, application/x-ndjson' },
  })
