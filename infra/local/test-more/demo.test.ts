import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { runBootstrap } from '../test/start.ts'

test('the demo publishes, balances, says it in one line of JSON and exits with 0', async () => {
  await using demo = runBootstrap(['demo', '--events', '500', '--consumers', '2', '--seed', 'a', '--json'])
  let stdout = ''
  demo.child.stdout?.on('data', (text: string) => {
    stdout += text
  })
  expect(await demo.exited).toBe(0)
  const figures = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
  expect(figures).toMatchObject({
    accepted: 500,
    stored: 350,
    duplicates: 150,
    conflicts: 0,
    dead: 0,
    in_flight: 0,
  })
})

test('a demo that is interrupted stops everything and says so', async () => {
  await using demo = runBootstrap(['demo', '--events', '100000', '--consumers', '1'])
  await new Promise<void>((resolve) => {
    demo.child.stderr?.on('data', () => {
      if (demo.said().includes('the publisher begins')) resolve()
    })
  })
  demo.child.kill('SIGINT')
  expect(await demo.exited).toBe(130)
  expect(demo.said()).toContain('everything is stopped; the data are deleted')
})

test('--open opens the console, which is there, and the demo stays up to be looked at until Ctrl-C', async () => {
  await using folder = await temporaryFolder('browser-')
  const opened = join(folder.path, 'opened')
  for (const name of ['xdg-open', 'open']) {
    await writeFile(join(folder.path, name), `#!/bin/sh\nprintf %s "$1" >'${opened}'\n`)
    await chmod(join(folder.path, name), 0o755)
  }
  const env = { PATH: `${folder.path}:${process.env.PATH}` }
  await using demo = runBootstrap(['demo', '--events', '500', '--consumers', '1', '--open'], { env })
  const url = await eventually(async () => {
    expect(demo.said()).toContain('stays up to be looked at')
    return await readFile(opened, 'utf8')
  }, 60_000)
  expect(demo.said()).toContain(`console shows it live: ${url}\n`)
  const page = await fetch(url)
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  const [, script = ''] = /src="(\.\/assets\/[^"]+\.js)"/.exec(await page.text()) ?? []
  expect((await fetch(new URL(script, url))).status).toBe(200)
  demo.child.kill('SIGINT')
  expect(await demo.exited).toBe(0) // the figures were shown, and balance
}, 120_000)
