import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ownFolder } from '@sekali/testkit/servers'
import { expect, test } from 'vitest'
import { buildConsole } from '../build.ts'

const gzipBytesMax = 100 * 1024

test('what a browser loads is at most 100 KiB, compressed', async () => {
  await using folder = await ownFolder()
  const { assets } = await buildConsole(join(folder.path, 'page'))
  const loaded = assets.filter((name) => /\.(js|css)$/.test(name))
  const sizes = await Promise.all(
    loaded.map(async (name) => gzipSync(await readFile(join(folder.path, 'page/assets', name))).length),
  )
  const bytes = sizes.reduce((sum, size) => sum + size, 0)
  expect(bytes).toBeGreaterThan(5_000)
  expect(bytes).toBeLessThanOrEqual(gzipBytesMax)
})

test('the page names the files that were built, by relative URLs, and has no script or style of its own', async () => {
  await using folder = await ownFolder()
  const { assets } = await buildConsole(join(folder.path, 'page'))
  const page = await readFile(join(folder.path, 'page/index.html'), 'utf8')
  const named = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url]) => url)
  expect(named.sort()).toEqual(assets.map((name) => `./assets/${name}`).sort())
  expect(page).not.toMatch(/<style|<script[^>]*>[^<]| style=| on\w+=/)
})
