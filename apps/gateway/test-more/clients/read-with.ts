// Reads a replay as somebody would with this client of npm, `read-with.ts NAME URL`, and passes on what comes. It ends
// with 1 if the client reports an error.
import { argv, stderr, stdout } from 'node:process'
import axios from 'axios'
import got from 'got'
import ky from 'ky'
import { request } from 'undici'

type Body = AsyncIterable<Uint8Array>

const headers = { Accept: 'application/x-ndjson' }

const readers: Readonly<Record<string, (url: string) => Promise<Body>>> = {
  fetch: async (url) => bodyOf(await fetch(url, { headers })),
  undici: async (url) => (await request(url, { headers })).body,
  axios: async (url) => (await axios.get<Body>(url, { headers, responseType: 'stream' })).data,
  got: async (url) => got.stream(url, { headers }),
  ky: async (url) => bodyOf(await ky.get(url, { headers, timeout: false })),
}

function bodyOf({ body }: Response): Body {
  if (body === null) throw new Error('there is no body')
  return body
}

const [, , name = '', url = ''] = argv
try {
  const body = await readers[name]?.(url)
  if (body === undefined) throw new Error(`there is no client ${name}`)
  for await (const chunk of body) stdout.write(chunk)
} catch (error) {
  stderr.write(`${error}\n`)
  process.exitCode = 1
}
