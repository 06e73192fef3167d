/**
 * Runs in a network of its own, where every address is this machine's: what a broken guard dials is here. A server counts the
 * connections that each address gets; what came of each attempt is printed as JSON.
 */
import { execFileSync } from 'node:child_process'
import type { LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseAllow } from '@sekali/webhook/guard'
import type { Resolve } from '../../src/send/names.ts'
import { openLine } from '../../src/send/post.ts'

const [denied, open] = JSON.parse(process.argv[2] ?? '[]') as [string[], string]
execFileSync('ip', ['link', 'set', 'lo', 'up'])
// Whatever is not an address of an interface: the kernel takes it for its own all the same.
for (const family of ['-4', '-6']) {
  const any = family === '-4' ? '0.0.0.0/0' : '::/0'
  execFileSync('ip', [family, 'route', 'add', 'local', any, 'dev', 'lo'])
}

const connections = new Map<string, number>()
const server = createServer(
  (_request, response) => void response.writeHead(200, { Connection: 'close' }).end(),
)
server.on('connection', ({ localAddress = '' }) => {
  const address = localAddress.replace('::ffff:', '')
  connections.set(address, (connections.get(address) ?? 0) + 1)
})
server.listen(0, '::')
await once(server, 'listening')
const { port } = server.address() as AddressInfo

const signal = new AbortController().signal
async function tryTo(host: string, resolve?: Resolve, times = 1): Promise<string[]> {
  const line = openLine(`http://${host}:${port}/`, 1, parseAllow(`${open}/32`), resolve)
  const outcomes: string[] = []
  for (let n = 0; n < times; n++) {
    const post = line.post({ headers: {}, body: '', timeoutMs: 2_000, signal })
    outcomes.push(
      await post.then(
        ({ status }) => String(status),
        (error) => String(error.code),
      ),
    )
  }
  await line.end()
  return outcomes
}

const leadsTo = (address: string): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 })
const byLiteral: Record<string, string[]> = {}
const byName: Record<string, string[]> = {}
for (const address of denied) {
  byLiteral[address] = await tryTo(address.includes(':') ? `[${address}]` : address)
  byName[address] = await tryTo('name.example', (_name, then) => then(null, [leadsTo(address)]))
}
const before = Object.fromEntries(connections)
// The name leads to a public address and then, in turn, inside.
const turns = [open, '127.0.0.1', open, '169.254.169.254', open]
const alternating = await tryTo(
  'turns.example',
  (_name, then) => then(null, [leadsTo(turns.shift() ?? open)]),
  5,
)
console.log(
  JSON.stringify({ byLiteral, byName, before, alternating, after: Object.fromEntries(connections) }),
)
server.closeAllConnections()
server.close()
