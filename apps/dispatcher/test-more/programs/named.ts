/**
 * Runs in a network and with mounts of its own, where it is the name server. It does not answer for names that begin with `hang`,
 * and fails for those within `broken.test`; what came of each attempt is printed as JSON, with the milliseconds that it took.
 */
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseAllow } from '@sekali/webhook/guard'
import { openLine } from '../../src/send/post.ts'

const dir = mkdtempSync(join(tmpdir(), 'sekali-names-'))
const [resolv, hosts] = [join(dir, 'resolv.conf'), join(dir, 'hosts')]
writeFileSync(resolv, 'nameserver 127.0.0.1\nsearch broken.test within.test\noptions ndots:2\n')
writeFileSync(hosts, '127.0.0.1 localhost\n127.0.0.1\tlisted.test other.test # and more\n')
execFileSync('ip', ['link', 'set', 'lo', 'up'])
execFileSync('mount', ['--bind', resolv, '/etc/resolv.conf'])
execFileSync('mount', ['--bind', hosts, '/etc/hosts'])

const known = new Set(['good.test', 'short.within.test'])
const names = createSocket('udp4')
names.on('message', (question, { port, address }) => {
  const labels: string[] = []
  let at = 12
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const name = labels.join('.').toLowerCase()
  if (name.startsWith('hang')) return
  const asked = question.subarray(12, at + 5)
  const hasAddress = known.has(name) && question.readUInt16BE(at + 1) === 1
  const head = Buffer.from(question.subarray(0, 12))
  head.writeUInt16BE(known.has(name) ? 0x8180 : name.endsWith('.broken.test') ? 0x8182 : 0x8183, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(hasAddress ? 1 : 0, 6)
  head.fill(0, 8, 12)
  // The name as in the question, A, IN, 0 s, four bytes.
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1])
  names.send(Buffer.concat([head, asked, ...(hasAddress ? [answer] : [])]), port, address)
})
names.bind(53, '127.0.0.1')
await once(names, 'listening')
const server = createServer((_request, response) => void response.writeHead(200).end())
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as AddressInfo

const { signal } = new AbortController()
async function tryTo(host: string): Promise<{ readonly came: string; readonly ms: number }> {
  const began = performance.now()
  const line = openLine(`http://${host}:${port}/`, 1, parseAllow('127.0.0.1'))
  const came = await line.post({ headers: {}, body: '', timeoutMs: 8_000, signal }).then(
    ({ status }) => String(status),
    (error) => String(error.code),
  )
  void line.end()
  return { came, ms: performance.now() - began }
}

const hanging = Array.from({ length: 8 }, (_, n) => tryTo(`hang${n}.test`))
await new Promise((resolve) => setImmediate(resolve))
const others = [
  'good.test',
  'listed.test',
  'OTHER.test',
  'localhost',
  'a.localhost',
  'short',
  'nobody.test',
  'nobody.test.',
]
const behind = Object.fromEntries(
  await Promise.all(others.map(async (host) => [host, await tryTo(host)] as const)),
)
console.log(JSON.stringify({ behind, hanging: await Promise.all(hanging) }))
rmSync(dir, { recursive: true })
process.exit(0)
