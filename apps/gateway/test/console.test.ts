/** The page that browsers get, and what it loads. */

import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { eventually } from '@sekali/testkit/eventually'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { readBuild } from '../src/console/files.ts'
import { consoleHandlersOf } from '../src/console/serve.ts'
import { nowhere } from './gateway.ts'
import { files, ownConsole } from './own-console.ts'
import { serveGateway } from './served-gateway.ts'

interface Options {
  readonly auth?: 'keys'
  readonly corsOrigins?: readonly string[]
}

async function ownServed(options: Options = {}) {
  const stack = new AsyncDisposableStack()
  const folder = stack.use(await ownConsole())
  const gateway = stack.use(await serveGateway({ ...nowhere, consoleFolder: folder.url, ...options }))
  return {
    url: gateway.url,
    build: folder.build,
    get: (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) =>
      fetch(gateway.url + path, { redirect: 'manual', ...init, headers }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** As it travels: `fetch` would decode it. */
async function raw(url: string, coding: string) {
  const call = request(url, { headers: { 'Accept-Encoding': coding } }).end()
  const [response] = await once(call, 'response')
  const bytes = Buffer.concat(await response.toArray())
  return { coding: response.headers['content-encoding'], tag: response.headers.etag, bytes }
}

/** The policy as the issue of the console words it. */
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; " +
  "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

test('the page comes with its policy, for whatever is accepted, and is asked for again', async () => {
  await using own = await ownServed()
  await own.build()
  for (const accept of ['text/html', 'application/json', '*/*']) {
    const response = await own.get('/', { Accept: accept })
    expect([response.status, await response.text()]).toEqual([200, files['index.html']])
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-cache',
      vary: 'Accept-Encoding',
    })
    const tag = String(response.headers.get('etag'))
    expect((await own.get('/', { 'If-None-Match': tag })).status).toBe(304)
    expect((await own.get('/', { 'If-None-Match': '"another"' })).status).toBe(200)
  }
})

test('who asks for the head alone learns how long the rest is', async () => {
  await using own = await ownServed()
  const length = async (path: string, method: string) => {
    const response = await own.get(path, { 'Accept-Encoding': 'identity' }, { method })
    return [response.status, response.headers.get('content-length'), (await response.text()).length] as const
  }
  const lengthsOf = async (path: string) => {
    const [get, head] = [await length(path, 'GET'), await length(path, 'HEAD')]
    expect([path, head]).toEqual([path, [get[0], String(get[2]), 0]])
    expect([path, get[1]]).toEqual([path, String(get[2])])
  }
  await lengthsOf('/') // none is built
  await lengthsOf('/docs')
  await own.build()
  await eventually(async () => expect((await own.get('/')).status).toBe(200))
  for (const path of ['/', '/assets/main-A1.js', '/favicon.ico']) await lengthsOf(path)
})

test('where other origins are listed the page depends on who asks as well', async () => {
  await using own = await ownServed({ corsOrigins: ['https://app.example.com'] })
  await own.build()
  for (const path of ['/', '/assets/main-A1.js', '/favicon.ico']) {
    expect([path, (await own.get(path)).headers.get('vary')]).toEqual([path, 'Accept-Encoding, Origin'])
  }
})

test('a build that is not there, or half there, is looked for once a second at most', async () => {
  await using folder = await ownConsole()
  await writeFile(new URL('index.html', folder.url), 'half')
  let now = 0
  let looks = 0
  const read = (url: URL) => {
    looks += 1
    return readBuild(url)
  }
  const console = consoleHandlersOf(folder.url, read, () => now)
  const app = new Hono().get('/', console.page).get('/assets/:file', console.asset)
  for (const path of ['/', '/assets/main-A1.js', '/']) {
    expect((await app.request(path)).status).toBe(path === '/' ? 503 : 404)
  }
  expect(looks).toBe(1)
  await folder.build()
  now = 1_000
  expect((await app.request('/')).status).toBe(200)
  expect((await app.request('/assets/main-A1.js')).status).toBe(200)
  expect(looks).toBe(2)
})

test('what the page loads may be kept for good, and is of its own type', async () => {
  await using own = await ownServed()
  await own.build()
  for (const [name, type] of [
    ['main-A1.js', 'text/javascript; charset=utf-8'],
    ['main-B2.css', 'text/css; charset=utf-8'],
    ['icon-C3.svg', 'image/svg+xml'],
  ] as const) {
    const response = await own.get(`/assets/${name}`)
    expect([response.status, await response.text()]).toEqual([200, files[`assets/${name}`]])
    expect(response.headers.get('content-type')).toBe(type)
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(response.headers.get('content-security-policy')).toBe(policy)
  }
  const icon = await own.get('/favicon.ico')
  expect([icon.headers.get('content-type'), await icon.text()]).toEqual([
    'image/svg+xml',
    files['assets/icon-C3.svg'],
  ])
})

test('a file travels compressed, as its client accepts, and each coding has a tag of its own', async () => {
  await using own = await ownServed()
  await own.build()
  const url = `${own.url}/assets/main-A1.js`
  const plain = Buffer.from(files['assets/main-A1.js'])
  const br = await raw(url, 'gzip, deflate, br')
  expect([br.coding, brotliDecompressSync(br.bytes)]).toEqual(['br', plain])
  const gzip = await raw(url, 'gzip')
  expect([gzip.coding, gunzipSync(gzip.bytes)]).toEqual(['gzip', plain])
  expect(gzip.bytes.length).toBeLessThan(plain.length / 4)
  for (const none of ['identity', '', 'deflate', 'br;q=0']) {
    const { coding, bytes } = await raw(url, none)
    expect([none, coding, bytes]).toEqual([none, undefined, plain])
  }
  expect(new Set([br.tag, gzip.tag, (await raw(url, '')).tag]).size).toBe(3)
})

test('nothing but the files of the build is served', async () => {
  await using own = await ownServed()
  await own.build()
  for (const name of ['none.js', 'main-A1.js.map', 'index.html', '', '..%2findex.html', '__proto__']) {
    expect([name, (await own.get(`/assets/${name}`)).status]).toEqual([name, name.includes('%') ? 400 : 404])
  }
  expect((await own.get('/assets/main-A1.js', {}, { method: 'POST' })).status).toBe(405)
})

test('without a build the page says how to make one, and is there once it is made', async () => {
  await using own = await ownServed()
  const response = await own.get('/')
  expect([response.status, response.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8'])
  const [, command = ''] = /<pre>node (.*)<\/pre>/.exec(await response.text()) ?? []
  expect(command).toBe('apps/console/build.ts')
  expect((await own.get('/assets/main-A1.js')).status).toBe(404)
  expect((await own.get('/favicon.ico')).status).toBe(404)
  await own.build()
  await eventually(async () => expect((await own.get('/')).status).toBe(200))
})

test('/docs leads to a view of the page, behind any prefix', async () => {
  await using own = await ownServed()
  const response = await own.get('/docs')
  expect([response.status, response.headers.get('content-security-policy')]).toEqual([200, policy])
  const [, to = ''] = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(await response.text()) ?? []
  const behind = new URL(to, 'https://example.com/sekali/docs')
  expect(behind.href).toBe('https://example.com/sekali/#/docs')
})

test('where keys are asked for the page comes without one, and nothing else does', async () => {
  await using own = await ownServed({ auth: 'keys' })
  await own.build()
  for (const path of ['/', '/?a=b', '/assets/main-A1.js', '/favicon.ico']) {
    expect([path, (await own.get(path)).status]).toEqual([path, 200])
  }
  expect((await own.get('/assets/none.js')).status).toBe(404)
  expect((await own.get('/docs')).status).toBe(200)
  for (const [method, path] of [
    ['POST', '/'],
    ['DELETE', '/assets/main-A1.js'],
    ['GET', '/assets'],
    ['GET', '/docs/'],
  ] as const) {
    expect([method, path, (await own.get(path, {}, { method })).status]).toEqual([method, path, 401])
  }
})
