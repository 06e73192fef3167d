/** GET / and what its page loads. */
import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import { accepted } from '../http/accept.ts'
import { isKnown } from '../http/etag.ts'
import { problem } from '../http/problem.ts'
import { reply } from '../http/reply.ts'
import { type Build, codings, consoleFolder, type File, readBuild } from './files.ts'

/**
 * What the page may do: load files of its own origin, and ask its own origin. It runs no script that stands in a page, and
 * makes no markup of text: what an event brings cannot become code.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const confined = {
  'Content-Security-Policy': policy,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
} as const

/** Whoever has it asks whether it is still the one. */
const asked = { 'Cache-Control': 'no-cache' } as const
/** A name that has a hash in it never means another content: nobody need ask. */
const forGood = { 'Cache-Control': 'public, max-age=31536000, immutable' } as const

/** How often files that are not there are looked for: a look stops the process for as long as the disk takes. */
const lookMs = 1_000

/** The handlers of the console. Its files are looked for until they are there, when somebody asks for one. */
export function consoleHandlersOf(
  folder: URL = consoleFolder,
  read = readBuild,
  now = () => performance.now(),
) {
  let built: Build | undefined
  let lookedAt = Number.NEGATIVE_INFINITY
  function build(): Build | undefined {
    if (built !== undefined || now() - lookedAt < lookMs) return built
    lookedAt = now()
    built = read(folder)
    return built
  }
  const orNone = async (c: Context, file: File | undefined, caching: Readonly<Record<string, string>>) =>
    file === undefined ? problem('not_found') : await show(c, file, caching)
  return {
    page: async (c: Context): Promise<Response> => {
      const page = build()?.page
      return page === undefined ? html(503, notBuilt) : await show(c, page, asked)
    },
    asset: (c: Context) => orNone(c, build()?.assets.get(c.req.param('file') ?? ''), forGood),
    icon: (c: Context) => orNone(c, build()?.icon, asked),
    docs: (): Response => html(200, toDocs),
  }
}

/** With its length, which an answer to HEAD would not have by itself. */
const whole = (status: number, bytes: Uint8Array<ArrayBuffer>, headers: Readonly<Record<string, string>>) =>
  reply(status, bytes, { ...headers, 'Content-Length': String(bytes.length) })

const html = (status: number, bytes: Uint8Array<ArrayBuffer>) =>
  whole(status, bytes, { ...confined, 'Content-Type': 'text/html; charset=utf-8' })

/** What the answer depends on, beside what is there already: the page of another origin that asks. */
const varyOf = (c: Context<{ Bindings: Partial<HttpBindings> }>): string =>
  ['Accept-Encoding', c.env?.outgoing?.getHeader('Vary') ?? []].flat().join(', ')

async function show(c: Context, file: File, caching: Readonly<Record<string, string>>): Promise<Response> {
  // Who names none that there is gets the bytes as they are: a page is better than a 406.
  const coding = accepted(c.req.header('accept-encoding') || 'identity', codings) ?? 'identity'
  const tag = file.tagOf(coding)
  const headers = { ...confined, ...caching, ETag: `"${tag}"`, Vary: varyOf(c) }
  if (isKnown(c.req.header('if-none-match'), tag)) return reply(304, null, headers)
  return whole(200, await file.coded(coding), {
    ...headers,
    'Content-Type': file.type,
    ...(coding !== 'identity' && { 'Content-Encoding': coding }),
  })
}

/** A redirect that is an answer of its own, as every route has one: who has no browser sees where to go. */
const toDocs = Buffer.from(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=./#/docs">
<title>Sekali: the API</title>
<p><a href="./#/docs">The API as a page</a>; as OpenAPI it is at <a href="./openapi.json">openapi.json</a>.
`)

const notBuilt = Buffer.from(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sekali: the console is not built</title>
<h1>The console is not built</h1>
<p>This gateway runs, and its API answers. To build its page, type this in the folder of the clone:
<pre>node apps/console/build.ts</pre>
<p>Then load this page again. <code>npm start</code> and <code>npm run demo</code> build it by themselves.
`)
