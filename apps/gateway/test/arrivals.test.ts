/** Whose connections are served first when many come at once. */
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { setImmediate as nextPass } from 'node:timers/promises'
import { eventually } from '@sekali/testkit/eventually'
import { expect, test } from 'vitest'
import { createClients } from '../src/clients/clients.ts'
import { createArrivals } from '../src/sockets/arrivals.ts'

const [crowd, other, third] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'] as const

/** Of a socket only its address is looked at before it is served. */
const from = (remoteAddress: string) => Object.assign(new EventEmitter(), { remoteAddress }) as Socket

function createDoor() {
  const served: string[] = []
  const arrivals = createArrivals(
    createClients(),
    2_000,
    ({ remoteAddress = '' }) => void served.push(remoteAddress),
  )
  const come = (address: string, count: number) => {
    for (let n = 0; n < count; n += 1) arrivals.add(from(address))
  }
  const countOf = (address: string) => served.filter((one) => one === address).length
  return { served, arrivals, come, countOf }
}

test('who comes behind a thousand connections of another client is served before most of them', async () => {
  const { come, countOf, served } = createDoor()
  come(other, 1) // so that there are several
  come(crowd, 1_000)
  come(other, 1)
  expect(countOf(other)).toBe(2)
  expect(countOf(crowd)).toBeLessThan(100)
  await eventually(() => expect(served.length).toBe(1_002))
})

test('clients whose connections wait are served in turns', async () => {
  const { come, served } = createDoor()
  come(other, 1)
  come(crowd, 500)
  come(third, 100)
  await eventually(() => expect(served.length).toBe(601))
  const before = served.slice(0, served.lastIndexOf(third))
  expect(before.filter((one) => one === crowd).length).toBeLessThan(200)
})

test('who comes steadily does not wait, although one comes in every pass of the event loop', async () => {
  const { come, countOf } = createDoor()
  for (let n = 1; n <= 200; n += 1) {
    come(other, 1)
    come(third, 1)
    expect(countOf(other)).toBe(n)
    expect(countOf(third)).toBe(n)
    await nextPass()
  }
})

test('what waits behind a crowd is served, although others go on coming', async () => {
  const { come, countOf } = createDoor()
  come(other, 1)
  come(crowd, 300)
  for (let passes = 0; passes < 200; passes += 1) {
    come(other, 1)
    await nextPass()
  }
  expect(countOf(crowd)).toBe(300)
})

test('a client that is alone does not wait', () => {
  const { come, countOf } = createDoor()
  come(crowd, 1_000)
  expect(countOf(crowd)).toBe(1_000)
})

test('more than may be open are closed without a word', () => {
  const { come, arrivals, served } = createDoor()
  come(crowd, 2_000)
  let isClosed = false
  arrivals.add(Object.assign(from(other), { destroy: () => (isClosed = true) }) as unknown as Socket)
  expect([served.length, isClosed]).toEqual([2_000, true])
})

test('at the end all are served', () => {
  const { come, arrivals, served } = createDoor()
  come(other, 1)
  come(crowd, 200)
  arrivals.flush()
  expect(served.length).toBe(201)
})
