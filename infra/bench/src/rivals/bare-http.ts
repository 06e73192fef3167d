/**
 * The ceiling of single publishing: `node:http` that reads a body, parses the JSON and answers. Nothing is checked
 * and nothing is kept.
 */
import { createServer } from 'node:http'
import process from 'node:process'

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const text = Buffer.concat(chunks).toString()
    const eventId = text === '' ? undefined : JSON.parse(text).event_id
    const body = JSON.stringify({ status: 'queued', event_id: eventId })
    response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    response.end(body)
  })
})

server.listen(Number(process.env.PORT), '127.0.0.1')
const leave = () => process.exit(0)
process.once('SIGTERM', leave)
process.once('disconnect', leave)
