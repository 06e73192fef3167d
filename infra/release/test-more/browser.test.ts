// A page that a bundler made of the published client, in a browser: it publishes, tails, is cut off and resumes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { requireDebian } from '@sekali/testkit/debian'
import { ownFolder } from '@sekali/testkit/servers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ownSystem, type System } from '../../../apps/cli/test/system.ts'
import { ownProject, type Project } from './project.ts'

let project: Project
let system: System

beforeAll(async () => {
  await requireDebian('chromium')
  project = await ownProject(['esbuild@0.28', 'vite@8', 'typescript@7'], ['page.ts'])
  await writeFile(
    join(project.path, 'index.html'),
    '<!doctype html><script type="module" src="/page.ts"></script>',
  )
  system = await ownSystem()
})

afterAll(async () => {
  await system?.[Symbol.asyncDispose]()
  await project?.[Symbol.asyncDispose]()
})

const bundlers: Record<string, () => Promise<string>> = {
  async esbuild() {
    await project.run('node_modules/.bin/esbuild', 'page.ts', '--bundle', '--minify', '--outfile=out/page.js')
    return 'out/page.js'
  },
  async vite() {
    const set = ['--outDir', 'dist', '--assetsDir', '.', '--logLevel', 'error']
    await project.run('node_modules/.bin/vite', 'build', ...set)
    const page = await readFile(join(project.path, 'dist/index.html'), 'utf8')
    return `dist/${/src="\/([^"]+)"/.exec(page)?.[1]}`
  },
}

/** One origin for the page and the gateway, as a proxy in front of both makes it. */
async function ownOrigin(script: string) {
  const tails = new Set<ServerResponse>()
  const { promise: result, resolve } = Promise.withResolvers<string>()
  const server = createServer(async (asked, answer) => {
    const { pathname } = new URL(asked.url ?? '', 'http://page')
    if (pathname === '/') return answer.setHeader('content-type', 'text/html').end(page)
    if (pathname === '/page.js') return answer.setHeader('content-type', 'text/javascript').end(script)
    if (pathname === '/result') {
      resolve(await text(asked))
      return answer.end()
    }
    if (pathname === '/cut') {
      for (const tail of tails) tail.destroy()
      return answer.end()
    }
    if (pathname === '/tail') tails.add(answer)
    const { host } = new URL(system.url)
    const own = { host, origin: system.url, 'sec-fetch-site': 'same-origin' }
    const headers = asked.method === 'GET' ? { ...asked.headers, host } : { ...asked.headers, ...own }
    const forwarded = request(new URL(asked.url ?? '', system.url), { method: asked.method, headers })
    forwarded.on('error', () => answer.destroy())
    forwarded.on('response', (came) => {
      answer.writeHead(came.statusCode ?? 502, came.headers).flushHeaders()
      came.pipe(answer)
    })
    answer.on('close', () => forwarded.destroy())
    forwarded.end(await buffer(asked))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    result,
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

const page = '<!doctype html><meta charset="utf-8"><script type="module" src="/page.js"></script>'

test.each(Object.entries(bundlers))('a page that %s built', async (name, build) => {
  const script = await readFile(join(project.path, await build()), 'utf8')
  await using origin = await ownOrigin(script)
  await using profile = await ownFolder()
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run']
  const chromium = spawn(
    'chromium',
    [...args, `--user-data-dir=${profile.path}`, `${origin.url}/?topic=on.${name}`],
    { stdio: 'ignore' },
  )
  const exited = once(chromium, 'exit')
  try {
    const ended = exited.then(() => 'chromium has ended')
    expect(await Promise.race([origin.result, ended])).toBe('1,2,3,4,5,6')
  } finally {
    chromium.kill('SIGKILL')
    await exited
  }
})
