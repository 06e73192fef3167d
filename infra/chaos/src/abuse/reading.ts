/** Attacks on the door where events go out, and on the door itself. */
import { pause } from '../clock.ts'
import {
  type Attack,
  call,
  type Front,
  history,
  noteAnswers,
  open,
  repeatedly,
  untilEvent,
  wire,
} from './attack.ts'

/** Keeps `count` connections open on which `said` was sent and nothing is read; those that end are made again. */
async function hold(front: Front, count: number, said: (number: number) => string): Promise<void> {
  let number = 0
  const again = async (): Promise<void> => {
    while (!front.signal.aborted) {
      const socket = open(front).pause()
      socket.write(said(number++))
      await untilEvent(front, socket)
      // What it was answered is seen only now.
      noteAnswers(front, socket)
      await pause(closeAfterMs)
      socket.destroy()
    }
  }
  await Promise.all(Array.from({ length: count }, again))
}

const closeAfterMs = 200
const comeBackMs = 1_000

/** The same, but whoever is turned away is told so, and comes again. */
async function insist(front: Front, count: number, said: (number: number) => string): Promise<void> {
  let number = 0
  const again = async (): Promise<void> => {
    while (!front.signal.aborted) {
      const socket = noteAnswers(front, open(front))
      const text = said(number++)
      if (text !== '') socket.write(text)
      await untilEvent(front, socket)
      socket.destroy()
      await pause(comeBackMs, front.signal)
    }
  }
  await Promise.all(Array.from({ length: count }, again))
}

const page = wire('GET', `/events?topic=${history}&limit=1000`)

/** A thousand pages of a thousand events, asked for at once on each of six connections. */
const pipelining: Attack = (front) => hold(front, 6, () => page.repeat(1_000))

/** 300 readers of the whole log who take nothing of it. */
const stalledTails: Attack = (front) =>
  hold(front, 300, () => wire('GET', `/tail?topic=${history}&from=start`))

const replay = wire('GET', `/events?topic=${history}&after=0`, { accept: 'application/x-ndjson' })

/** 256 replays of the whole log, of which nothing is taken, 64 on each connection and 64 connections. */
const replays: Attack = async (front) => {
  await Promise.all([hold(front, 4, () => replay.repeat(64)), hold(front, 64, () => replay.repeat(4))])
}

const idleGroups = 260

/** 2,000 tails, each of another pattern, that begin with what every topic could match. */
const patterns: Attack = (front) => {
  const pattern = (n: number) => `*.a${n % idleGroups}.b${Math.floor(n / idleGroups) % 100}`
  return insist(front, 2_000, (n) => wire('GET', `/tail?topic=${encodeURIComponent(pattern(n))}`))
}

/** 1,500 connections, half of which say half of a request and the others nothing. */
const connections: Attack = (front) =>
  insist(front, 1_500, (n) => (n % 2 === 0 ? '' : 'GET /healthz HTTP/1.1\r\nhost: loc'))

/** The figures and findings of everything, four times at once. */
const figures: Attack = (front) =>
  repeatedly(front, 8, (attacker) => call(front, { path: attacker % 2 === 0 ? '/stats' : '/doctor' }))

export const readingAttacks = {
  pipelining,
  'stalled-tails': stalledTails,
  replays,
  patterns,
  connections,
  figures,
}
