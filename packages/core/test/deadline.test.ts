import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { withDeadline } from '@sekali/core/deadline'
import { expect, test } from 'vitest'

/** Keeps the process from everything else. */
function spin(ms: number): void {
  for (const since = performance.now(); performance.now() - since < ms; );
}

test('what came in time is read although the process was busy until the deadline was over, and what did not is late', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const client = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1')
  const [socket] = (await once(server, 'connection')) as [Socket]
  try {
    const read = once(socket, 'data').then(([data]) => String(data))
    let isLate = false
    const outcome = withDeadline(read, 10, () => {
      isLate = true
    })
    client.write('in time')
    spin(30)
    expect(await outcome).toBe('in time')
    await nextTurn()
    expect(isLate).toBe(false)
    expect(await withDeadline(once(socket, 'data'), 10, () => 'late')).toBe('late')
  } finally {
    client.destroy()
    server.close()
  }
})
