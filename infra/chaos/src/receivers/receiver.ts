/**
 * A receiver: a process of its own that gets what dispatchers send, of all endpoints, and notes it. It trusts nobody: it does
 * without any code of ours to verify signatures. At a second address, to which nothing may be sent, it notes who comes.
 *
 * The first message is its `ReceiverOptions`; then `{mode}` is how it behaves from now on.
 */
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import process from 'node:process'
import { parseEvents, seenOf } from '../clients/log.ts'
import { pause } from '../clock.ts'
import { nowMs, openNotes } from '../workers/notes.ts'
import { answers } from './answer.ts'
import type { ReceiverNote, Sent } from './notes.ts'
import { type Behaviour, batchIdOf, behaviourOf, type EndpointPlan, hookIdOf, isRefusedHook } from './plan.ts'

/** All requests, or those of one endpoint, are answered so; undefined: as the seed has it. */
export interface Mode {
  readonly behaviour?: Behaviour | undefined
  readonly plan?: string | undefined
}

export interface ReceiverOptions {
  readonly seed: number
  readonly port: number
  /** Where it gets what it is sent, and where nothing may come. */
  readonly open: string
  readonly inside: string
  readonly plans: readonly (EndpointPlan & { readonly secret: string })[]
  readonly mode: Mode
  /** The file of its notes. */
  readonly notes: string
}

const begun = Promise.withResolvers<ReceiverOptions>()
let mode: Mode = {}
process.once('disconnect', () => process.exit(0))
process.on('message', (message: ReceiverOptions | { readonly mode: Mode }) => {
  mode = message.mode
  if ('port' in message) begun.resolve(message)
})
const { seed, port, open, inside, plans, ...options } = await begun.promise
const notes = openNotes<ReceiverNote>(options.notes)
const byPath = new Map(plans.map((plan) => [`/${plan.name}`, plan]))
let count = 0

const stray = (what: string) => notes.write({ kind: 'strayed', at: nowMs(), what })

const server = createServer((request, response) => void receive(request, response).catch(() => undefined))
const forbidden = createServer((_request, response) => void response.writeHead(200).end())
forbidden.on('connection', () => stray(`a connection to ${inside}`))
await listen(server, open)
await listen(forbidden, inside)

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const at = nowMs()
  const { headers, url = '' } = request
  const plan = byPath.get(url)
  if (plan === undefined) {
    stray(`${request.method} ${url}`)
    return void response.writeHead(404).end()
  }
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  const number = ++count
  const said = saidBy(headers)
  const whole = whatIsWrong(plan, headers, body)
  for (const { wrong = whole, ...event } of eventsIn(plan, body.toString(), said, headers['sekali-count'])) {
    notes.write({
      ...{ kind: 'sent', at, number, plan: plan.name, ...said, ...event },
      ...(wrong !== undefined && { wrong }),
    })
  }
  const isMeant = mode.plan === undefined || mode.plan === plan.name
  // What it always refuses it refuses then as well: an answer without end is a success.
  const forced = isMeant && !isRefusedHook(plan, said.hook) ? mode.behaviour : undefined
  const behaviour = forced ?? behaviourOf(seed, plan, said)
  // So that each request asks anew where the name leads.
  if (new URL(`http://${headers.host}`).hostname !== open) response.setHeader('connection', 'close')
  answers[behaviour]({
    response,
    shown: `${JSON.stringify(headers)} ${body.subarray(0, 1_000)}`,
    elsewhere: number % 2 === 0 ? `http://${inside}:${port}/` : `http://${open}:${port}/followed`,
    note: (status) => notes.write({ kind: 'answered', at: nowMs(), number, status }),
  })
}

const saidBy = (headers: IncomingHttpHeaders) => ({
  hook: String(headers['webhook-id']),
  topic: String(headers['sekali-topic']),
  seq: Number(headers['sekali-seq']),
  source: decodeURIComponent(String(headers['sekali-source'])),
  attempt: Number(headers['sekali-attempt']),
})

/** As docs/webhooks.md has it for who writes a receiver. */
function whatIsWrong(
  { secret, own }: { readonly secret: string; readonly own: string },
  headers: IncomingHttpHeaders,
  body: Buffer,
): string | undefined {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature } = headers
  if (!(Math.abs(Date.now() / 1_000 - Number(timestamp)) < 300)) return `it was signed at ${timestamp}`
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const mac = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')
  if (!String(signature).split(' ').includes(`v1,${mac}`)) return 'the signature is not ours'
  return headers['x-own'] === own ? undefined : 'the header of its own is not there'
}

interface EventIn extends Partial<Pick<Sent, 'hook' | 'topic' | 'seq' | 'source'>> {
  readonly digest: string
  readonly wrong?: string
}

const standardForm = /^\{"type":"([^"]*)","timestamp":"([^"]*)","data":(.*)\}$/s

type Said = ReturnType<typeof saidBy>

/** What the body says of each event. */
function eventsIn(plan: EndpointPlan, text: string, said: Said, count: unknown): readonly EventIn[] {
  if (!plan.isBatched) return [eventIn(plan, text, said)]
  const events = parseEvents(text)
  if (!/^\[.*\]$/s.test(text) || events.length === 0) {
    return [{ digest: '', wrong: `this is no array of events: ${text.slice(0, 200)}` }]
  }
  const hooks = events.map(({ topic, id }) => hookIdOf(topic, id))
  const isWhole = batchIdOf(hooks) === said.hook && String(events.length) === count
  const mayBeTogether = said.attempt === 1 || events.length === 1
  const isInOrder = events.every(({ seq }, n) => n === 0 || seq > Number(events[n - 1]?.seq))
  const wrong = isWhole && mayBeTogether && isInOrder ? undefined : `${count} events came as ${said.hook}`
  return events.map((event, n) => {
    const { topic, seq, source } = event
    const about = { hook: hooks[n] as string, topic, seq, source, digest: seenOf(event).digest }
    return { ...about, ...(wrong !== undefined && { wrong }) }
  })
}

/** Of what the body says. Its text is taken apart, and not parsed: that would hide what changed. */
function eventIn({ body }: Pick<EndpointPlan, 'body'>, text: string, { topic, source, seq }: Said): EventIn {
  const none = { digest: '', wrong: `this is no event: ${text.slice(0, 200)}` }
  if (body === 'event') {
    const [event] = parseEvents(`[${text}]`)
    const isSame = event?.topic === topic && event.source === source && event.seq === seq
    return event && isSame ? { digest: seenOf(event).digest } : none
  }
  const [, type, timestamp, payload] = standardForm.exec(text) ?? []
  if (type !== topic || timestamp === undefined || payload === undefined) return none
  return { digest: seenOf({ seq, id: '', source, timestamp, payload, receivedAt: '' }).digest }
}

/** The receiver before this one may just have been killed: its port is free in a moment. */
async function listen(one: typeof server, host: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await once(one.listen(port, host), 'listening')
      return
    } catch (error) {
      if (tries >= 50) throw error
      await pause(100)
    }
  }
}
