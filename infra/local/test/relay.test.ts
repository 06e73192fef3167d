import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'

const relay = join(import.meta.dirname, '../set-up/relay.mjs')

test('a signal that also ends the shell between npx and us is not followed by another, which would force the end', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  const write = (name: string, text: string) => writeFile(join(folder.path, name), text)
  // It takes longer to drain than it takes us to notice that our parent has gone. One signal comes twice: to the whole
  // group, and passed on by us.
  await write(
    'system.mjs',
    `
    let since
    process.on('SIGTERM', () => {
      since ??= performance.now()
      if (performance.now() - since > 200) console.log('told once more')
      else setTimeout(() => { console.log('drained'); process.exit(0) }, 1500)
    })
    console.log('ready')
    setInterval(() => {}, 1000)`,
  )
  await write(
    'entry.mjs',
    `
    import { createRelay } from ${JSON.stringify(relay)}
    const relay = createRelay()
    await relay.run(process.execPath, [import.meta.dirname + '/system.mjs'])
    relay.close()`,
  )
  const line = `'${process.execPath}' '${join(folder.path, 'entry.mjs')}'; true`
  const npx = spawn('sh', ['-c', line], {
    env: { ...process.env, npm_lifecycle_event: 'npx' },
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  npx.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  await eventually(() => expect(said).toContain('ready'))
  const closed = once(npx, 'close')
  process.kill(-(npx.pid ?? 0), 'SIGTERM')
  await closed
  expect(said).toBe('ready\ndrained\n')
})
