/** An endpoint: answers at once, and remembers when each request came and how old its event was. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '../load/worker.ts'
import { nowMs } from '../measure/clock.ts'
import type { Arrivals, ReceiverCall } from './webhooks.ts'

let arrivedAt: number[] = []
let ages: number[] = []
const storedAt = '"stored_at":"'

const server = createServer((request, response) => {
  const seenAt = Date.now() // the clock of stored_at
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    if (request.url === '/hangs') return // until its sender gives up
    arrivedAt.push(nowMs())
    const text = Buffer.concat(chunks).toString()
    const at = text.lastIndexOf(storedAt)
    if (at >= 0) ages.push(seenAt - Date.parse(text.slice(at + storedAt.length, at + storedAt.length + 27)))
    response.writeHead(200, { 'Content-Length': 0 }).end()
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')

serve<ReceiverCall>(async ({ call }) => {
  if (call === 'url') return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const arrivals: Arrivals = {
    count: arrivedAt.length,
    first: arrivedAt[0] ?? 0,
    last: arrivedAt.at(-1) ?? 0,
    ages,
  }
  if (call === 'forget') {
    arrivedAt = []
    ages = []
  }
  return arrivals
})
