import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { expect, test } from 'vitest'
import { runBootstrap, startService } from '../test/start.ts'

test('without a Redis and without a way to install one it names two ways out', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await symlink(process.execPath, join(folder.path, 'node'))
  await using demo = runBootstrap(['demo'], { env: { PATH: folder.path, REDIS_SERVER: '' } })
  expect(await demo.exited).toBe(1)
  expect(demo.said()).toMatch(/needs a Redis server.*Install Redis 7\.0.*docker compose up/s)
})

test('an option that does not exist or makes no sense is refused, not guessed', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await using unknown = await startService(folder.path, ['--prot', '1'])
  expect(await unknown.exited).toBe(2)
  expect(unknown.said()).toMatch(/unknown option '--prot'/)
  await using none = await startService(folder.path, ['--consumers', '0'])
  expect(await none.exited).toBe(2)
  expect(none.said()).toMatch(/must be a whole number from 1 to 64/)
})

test('an unknown command is answered with the usage', async () => {
  await using nothing = runBootstrap(['dmo'])
  expect(await nothing.exited).toBe(2)
  for (const command of ['demo', 'start', 'test'])
    expect(nothing.said()).toMatch(new RegExp(`usage: .*\\b${command}\\b`))
})

test('a signal while the stack is starting leaves nothing', async () => {
  await using folder = await temporaryFolder('sekali-test-')
  await using service = await startService(folder.path)
  await new Promise<void>((resolve) => {
    service.child.stderr?.on('data', () => {
      if (service.said().includes('PostgreSQL is starting')) resolve()
    })
  })
  service.child.kill('SIGTERM')
  expect(await service.exited).toBe(130)
  expect(service.said()).toContain('everything is stopped')
})
