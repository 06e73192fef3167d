import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { freePort } from '@sekali/servers/free-port'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { claimPort } from '../src/system/gateway-port.ts'

const wish = { host: '127.0.0.1', patient: false }

test.runIf(process.platform === 'linux')(
  'a port that is taken is refused with who has it, and with one that is free',
  async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    try {
      await expect(claimPort({ ...wish, port })).rejects.toMatchObject({
        code: 'port_taken',
        message: expect.stringMatching(
          new RegExp(
            `^Port ${port} is taken: process ${process.pid} .*kill ${process.pid}\\n.* --port \\d+$`,
          ),
        ),
      })
      const options = { port: '--health-port', host: '--health-host' }
      await expect(claimPort({ ...wish, port, options })).rejects.toThrow(/npm start -- --health-port \d+$/)
    } finally {
      server.close()
    }
  },
)

test.runIf(process.platform === 'linux')(
  'a start of another installation is what is to be stopped, not its gateway; of a long command the end is shown',
  async () => {
    await using folder = await temporaryFolder('sekali-test-')
    const port = await freePort()
    const gateway = join(folder.path, 'gateway.mjs')
    await writeFile(
      gateway,
      `import { createServer } from 'node:net'; createServer().listen(${port}, '127.0.0.1')`,
    )
    for (const [path, isStart] of [
      ['node_modules/@sekali/cli/start.mjs', true],
      ['infra/local/src/start.ts', true],
      ['mine/start.mjs', false],
    ] as const) {
      const start = join(folder.path, path)
      await mkdir(dirname(start), { recursive: true })
      const command = `process.execPath, [${JSON.stringify(gateway)}, '${'x'.repeat(200)}', 'end-of-it']`
      const end = `process.on('SIGTERM', () => child.kill()); child.on('exit', () => process.exit())`
      await writeFile(
        start,
        `import { spawn } from 'node:child_process'; const child = spawn(${command}); ${end}`,
      )
      const child = spawn(process.execPath, [start])
      try {
        const words = isStart
          ? `^Port ${port} is taken by another npm start, process ${child.pid}\\. Stop .*kill ${child.pid}\\n`
          : `^Port ${port} is taken: process (?!${child.pid})\\d+ listens on it \\(\\S+node.{10,90}end-of-it\\)`
        await eventually(async () => expect(claimPort({ ...wish, port })).rejects.toThrow(new RegExp(words)))
      } finally {
        child.kill()
        await once(child, 'exit')
      }
    }
  },
)

test.runIf(process.platform === 'linux')(
  'a container that has the port is to be stopped, not its proxy',
  async () => {
    await using folder = await temporaryFolder('sekali-test-')
    const port = await freePort()
    const proxy = join(folder.path, 'docker-proxy')
    await symlink(process.execPath, proxy)
    const program = `require('node:net').createServer().listen(${port}, '127.0.0.1')`
    const child = spawn(proxy, ['-e', program])
    try {
      const words = new RegExp(
        `^Port ${port} is taken by a container .*stop the container\\.\nOr choose another port`,
      )
      await eventually(async () => expect(claimPort({ ...wish, port })).rejects.toThrow(words))
    } finally {
      child.kill()
      await once(child, 'exit')
    }
  },
)

test('an address that is not of this machine is not mended by another port', async () => {
  const port = await freePort()
  for (const host of ['no-such.invalid', '192.0.2.1']) {
    const refusal = claimPort({ ...wish, port, host })
    await expect(refusal).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/no address of this machine .*--host 127\.0\.0\.1$/),
    })
  }
})

test('the last port has no next one, and is answered with another that can be', async () => {
  const port = 65_535
  const server = createServer().listen(port, '127.0.0.1')
  const taken = await Promise.race([once(server, 'listening'), once(server, 'error')])
  expect(taken).toBeDefined()
  await expect(claimPort({ ...wish, port })).rejects.toThrow(/--port [1-6]\d{3,4}$/)
  server.close()
})
