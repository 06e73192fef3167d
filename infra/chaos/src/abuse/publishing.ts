/** Attacks on the door where events come in. */
import { pause } from '../clock.ts'
import {
  type Attack,
  arrayOf,
  call,
  eventOf,
  json,
  noteAnswers,
  open,
  repeatedly,
  untilEvent,
  wire,
} from './attack.ts'

const batchEvents = 5_000
const newTopicsMax = 30_000

const run = Date.now().toString(36)
const post = (body: string | Buffer) => ({ method: 'POST', path: '/publish', headers: json, body })

/** Arrays of 5,000 events, each with a topic that nobody has named before; smaller ones, as those are refused. */
const topics: Attack = async (front) => {
  let named = 0
  const sizes = [batchEvents, 200, 1]
  await repeatedly(front, sizes.length, async (attacker, turn) => {
    if (named >= newTopicsMax) return await pause(100, front.signal)
    const size = sizes[attacker] ?? 1
    const body = arrayOf(size, (n) => eventOf(`abuse.new.${run}-${attacker}-${turn}-${n}`, '1'))
    if ((await call(front, post(body))) === '200') named += size
  })
}

const conflictTopics = 8
const conflictBatchesMax = 60

/** One id of each of eight topics, again and again, with another content every time. */
const conflicts: Attack = async (front) => {
  let sent = 0
  await repeatedly(front, 4, async (attacker, turn) => {
    if (sent >= conflictBatchesMax) return await pause(100, front.signal)
    sent++
    const body = arrayOf(batchEvents, (n) =>
      eventOf(`abuse.conflicts.${n % conflictTopics}`, 'same', `{"n":"${run} ${attacker} ${turn} ${n}"}`),
    )
    await call(front, post(body))
  })
}

const badLine = '{"x":1}\n'
const lineBytesPerStep = 60_000
const stepMs = 100
const lines: Readonly<Record<string, string>> = {
  bad: badLine.repeat(lineBytesPerStep / badLine.length),
  blank: '\n'.repeat(lineBytesPerStep),
  slow: '\n',
}

/** Streams of lines that are no events, of blank ones, and of next to nothing. */
const ndjson: Attack = async (front) => {
  const kinds = ['bad', 'bad', 'bad', 'bad', 'blank', 'slow', 'slow', 'slow']
  const headers = { 'content-type': 'application/x-ndjson', 'transfer-encoding': 'chunked' }
  await repeatedly(front, kinds.length, async (attacker) => {
    const socket = noteAnswers(front, open(front))
    const text = lines[kinds[attacker] ?? 'bad'] ?? ''
    socket.write(wire('POST', '/publish', headers))
    while (!front.signal.aborted && !socket.destroyed && socket.writable) {
      const goesOn = socket.write(`${text.length.toString(16)}\r\n${text}\r\n`)
      if (!goesOn) await untilEvent(front, socket, 'drain')
      await pause(kinds[attacker] === 'slow' ? 40 * stepMs : stepMs, front.signal)
    }
    socket.destroy()
  })
}

const bodyBytes = 8 * 1024 * 1024 - 1_024
const padded = (unit: string, end: string) =>
  Buffer.from(`[${unit.repeat(Math.floor((bodyBytes - 8) / unit.length))}${end}]`)

/** 8 MiB of JSON that is dear to parse: millions of elements, or of levels. */
const bodies: Attack = async (front) => {
  const all = [padded('{},', '{}'), padded('[', ''), padded('0,', '0'), padded('{"a":', '')]
  await repeatedly(front, 2, (attacker, turn) =>
    call(front, post(all[(attacker + turn) % all.length] as Buffer)),
  )
}

const waitConnections = 4
const waitsEach = 250
const waitedMs = 1_000

/** A thousand publishes that wait for their receipts, 250 on each connection, behind a backlog of its own. */
const waits: Attack = async (front) => {
  const events = (attacker: number) =>
    Array.from({ length: waitsEach }, (_, n) =>
      wire(
        'POST',
        '/publish',
        { ...json, prefer: 'wait=30' },
        eventOf('abuse.waits', `${run}-${attacker}-${n}`),
      ),
    ).join('')
  await Promise.all([
    backlog(front, 'abuse.waits'),
    repeatedly(front, waitConnections, async (attacker, turn) => {
      const socket = noteAnswers(front, open(front))
      socket.write(events(attacker * 1_000 + turn))
      await pause(waitedMs, front.signal)
      socket.destroy()
    }),
  ])
}

const backlogBatchesMax = 20

async function backlog(front: Parameters<Attack>[0], topic: string): Promise<void> {
  let sent = 0
  await repeatedly(front, 1, async (_, turn) => {
    if (sent >= backlogBatchesMax) return await pause(100, front.signal)
    sent++
    await call(front, post(arrayOf(batchEvents, (n) => eventOf(topic, `${run}-b${turn}-${n}`))))
  })
}

/** Ids that nobody knows, in a topic that has entries in flight: each look-up has to make sure. */
const lookups: Attack = async (front) => {
  await Promise.all([
    backlog(front, 'abuse.lookups'),
    repeatedly(front, 64, (attacker, turn) =>
      call(front, { path: `/events/abuse.lookups/nobody-${attacker}-${turn}` }),
    ),
  ])
}

export const publishingAttacks = { topics, conflicts, lines: ndjson, bodies, waits, lookups }
