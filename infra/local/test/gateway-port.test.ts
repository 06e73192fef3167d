import { once } from 'node:events'
import { createServer } from 'node:net'
import process from 'node:process'
import { freePort } from '@sekali/servers/free-port'
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
