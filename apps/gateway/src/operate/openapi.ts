import { createHash } from 'node:crypto'
import { createDocument } from '@sekali/api/openapi'
import type { Context } from 'hono'
import { isKnown } from '../http/etag.ts'
import { reply } from '../http/reply.ts'

/** A cache may keep it, and asks whether it is still the one. */
const caching = { 'Cache-Control': 'no-cache' } as const

/** GET /openapi.json: the description of the API, made when it is asked for first. */
export function describeApi(version: string) {
  let made: ReturnType<typeof make> | undefined
  return (c: Context): Response => {
    made ??= make(version)
    const headers = { ...caching, ETag: `"${made.tag}"` }
    if (isKnown(c.req.header('if-none-match'), made.tag)) return reply(304, null, headers)
    return reply(200, made.bytes, { ...headers, 'Content-Type': 'application/json' })
  }
}

function make(version: string): { readonly bytes: Uint8Array<ArrayBuffer>; readonly tag: string } {
  const bytes = Buffer.from(`${JSON.stringify(createDocument(version))}\n`)
  return { bytes, tag: createHash('sha256').update(bytes).digest('base64url').slice(0, 22) }
}
