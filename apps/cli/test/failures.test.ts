// What is said where no gateway answers: at once, on one line for each kind of failure, and what to do.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { Refused, Unavailable, Unreachable } from '@sekali/client/errors'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { adviceOn, isForGood } from '../src/advice.ts'
import { nearest } from '../src/commands/no-topic.ts'
import { run, start } from './command.ts'

async function listening(server: Server) {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { place: `127.0.0.1:${port}`, [Symbol.asyncDispose]: async () => void server.close() }
}

/** Where nobody listens. */
async function nowhere(): Promise<string> {
  await using server = await listening(createTcpServer())
  return server.place
}

test('where nobody answers, that is said at once, also to a script, and at the end what to do', async () => {
  const place = `http://${await nowhere()}`
  await using waiting = start(['stats', '--retry-seconds', '60'], { SEKALI_URL: place })
  await eventually(() =>
    expect(waiting.err()).toBe(
      `nobody answers at ${place} (ECONNREFUSED): trying again for 60 s; is it started? npm start\n`,
    ),
  )
  const { code, out, err } = await run(['stats', '--retry-seconds', '1'], place)
  expect({ code, out }).toEqual({ code: 3, out: '' })
  expect(err.split('\n')).toEqual([
    `nobody answers at ${place} (ECONNREFUSED): trying again for 1 s; is it started? npm start`,
    `sekali: nobody answers at ${place} (ECONNREFUSED); start Sekali with npm start, or name another place with --url or SEKALI_URL`,
    '',
  ])
  const json = await run(['topics', '--retry-seconds', '1', '--json'], place)
  expect(JSON.parse(json.err)).toMatchObject({ error: { code: 'unreachable' } })
  await using tail = start(['tail', 'orders', '--retry-seconds', '1'], { SEKALI_URL: place })
  expect(await tail.ended).toMatchObject({ code: 3, err: expect.stringContaining('trying again') })
})

test('a log that was restored ends a read with a code of its own, and with where to go on', async () => {
  const problem = {
    ...{ status: 409, code: 'log_restored', detail: 'It was restored.', topic: 'orders.eu' },
    ...{ epoch: 2, forked_at: 500, restored_at: '2026-11-28T10:00:00.000000Z', cursor: '2.500' },
  }
  await using gateway = await listening(
    createServer((_, response) =>
      response
        .writeHead(409, { 'Content-Type': 'application/problem+json', Connection: 'close' })
        .end(JSON.stringify(problem)),
    ),
  )
  const url = `http://${gateway.place}`
  for (const args of [
    ['tail', 'orders.eu', '--from', '600'],
    ['tail', 'orders.eu', '--cursor', '600'],
    ['replay', 'orders.eu', '--after', '600'],
    ['events', 'orders.eu', '--before', '600'],
  ]) {
    const { code, out, err } = await run(args, url)
    expect([args[0], code, out]).toEqual([args[0], 4, ''])
    expect(err).toMatch(/^sekali: the log of orders\.eu was restored .* after seq 500 .* with 2\.500, .*\n$/)
  }
  const json = await run(['tail', 'orders.eu', '--from', '2.600', '--json'], url)
  expect([json.code, JSON.parse(json.err)]).toMatchObject([
    4,
    {
      error: {
        code: 'log_restored',
        restored: { topic: 'orders.eu', epoch: 2, forked_at: 500, cursor: '2.500' },
      },
    },
  ])
})

test('a name without an address is not told to try another port', async () => {
  const { code, err } = await run(['stats', '--retry-seconds', '1'], 'http://gateway.invalid:8080')
  expect(code).toBe(3)
  expect(err).toMatch(
    /\nsekali: there is no address of the name gateway\.invalid \(E\w+\); mend the name, or .*\n$/,
  )
})

test('what would be the same in a second is not tried again', async () => {
  await using plain = await listening(createServer((_, response) => response.end('{}')))
  const tls = await run(['stats', '--retry-seconds', '60'], `https://${plain.place}`)
  expect(tls).toMatchObject({
    code: 3,
    err: expect.stringMatching(/^sekali: https:.* does not speak TLS .*\n$/),
  })
  await using other = await listening(
    createTcpServer((socket) => socket.on('error', () => {}).end('220 mail\r\n')),
  )
  const http = await run(['stats', '--retry-seconds', '60'], `http://${other.place}`)
  expect(http).toMatchObject({
    code: 3,
    err: expect.stringMatching(/^sekali: http:.* does not speak HTTP .*\n$/),
  })
  const port = await run(['stats', '--retry-seconds', '60'], 'http://127.0.0.1:6000')
  // No start of a server mends it: a port that fetch refuses is a usage error, as a URL that is none.
  expect(port).toMatchObject({ code: 2, err: expect.stringMatching(/^sekali: .*:6000.* \(bad port\).*\n$/) })
})

test.each([
  [
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    /certificate of https:\/\/h:1 is not to be trusted.*NODE_EXTRA_CA_CERTS/,
    true,
  ],
  ['CERT_HAS_EXPIRED', /certificate of https:\/\/h:1/, true],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /certificate of https:\/\/h:1/, true],
  ['ERR_TLS_CERT_ALTNAME_INVALID', /certificate of https:\/\/h:1/, true],
  ['EAI_AGAIN', /no address of the name h /, false],
  ['ECONNRESET', /https:\/\/h:1 hung up without an answer/, false],
  ['EHOSTUNREACH', /nothing comes back from h:1/, false],
  ['UND_ERR_CONNECT_TIMEOUT', /nothing comes back from h:1/, false],
])('%s has words of its own', (reason, words, forGood) => {
  const error = new Unreachable(`GET https://h:1/stats had no answer: ${reason}`)
  expect(adviceOn(error, 'https://h:1')).toMatch(words)
  expect(isForGood(error)).toBe(forGood)
})

test('an answer that is not in the words of Sekali is not taken for its own', () => {
  const answered = (status: number) => new Refused('GET /', { status, code: `http_${status}` })
  expect(adviceOn(answered(404), 'http://h')).toMatch(
    /what listens at http:\/\/h answers 404, and not as Sekali/,
  )
  expect(adviceOn(answered(401), 'http://h')).toMatch(/wants another token, or any \(401\); a profile/)
  const badGateway = new Unavailable('GET /', { status: 502, code: 'http_502' }, undefined)
  expect(adviceOn(badGateway, 'http://h')).toMatch(/answers 502: a proxy, perhaps/)
})

test('names are near that differ by a slip or by a segment', () => {
  const names = ['orders', 'orders.eu.paid', 'orders.us.paid', 'logins', 'x']
  expect(nearest('orders.eu.payed', names)).toEqual(['orders.eu.paid', 'orders'])
  expect(nearest('Logins', names)).toEqual(['logins'])
  expect(nearest('y', names)).toEqual(['x'])
  expect(nearest('metrics', names)).toEqual([])
})
