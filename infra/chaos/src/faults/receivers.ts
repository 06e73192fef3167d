/**
 * Receivers that die, stand still, or answer anything but what they should, and a name that leads elsewhere.
 *
 * Threatens: that an event is settled only by success, that what fails comes again, the order of a source over its retries, the
 * guard, and other endpoints. Recovered when all is delivered at the end; what receivers note is judged then.
 */
import { until } from '../clock.ts'
import { defineFault, type Fault, type FaultContext, insist, PromiseBroken } from '../fault.ts'
import type { Behaviour } from '../receivers/plan.ts'
import { nowMs } from '../workers/notes.ts'
import { askingOf } from './ask.ts'

/** The catalogue has these only where there are webhooks, and so a receiver. */
const receiversOf = ({ receivers }: Pick<FaultContext, 'receivers'>) => {
  if (receivers === undefined) throw new Error('there is no receiver')
  return receivers
}

const ways: Partial<Record<Behaviour, string>> = {
  error: 'answers 500, with what it was sent',
  busy: 'answers 429 with Retry-After',
  half: 'answers 200 and sends half of its body',
  garbage: 'answers what is no HTTP',
  redirect: 'redirects, to where nothing may go and to itself',
  endless: 'answers 200 with a body without end',
  cut: 'closes the connection instead of an answer',
}

const behaving = (Object.entries(ways) as [Behaviour, string][]).map(([behaviour, what]) =>
  defineFault({
    name: `receivers-${behaviour}`,
    about: `for a second or two every receiver ${what}`,
    needs: ['webhooks'],
    async run(context) {
      const receivers = receiversOf(context)
      receivers.behave({ behaviour })
      await context.pause(context.random.int(800, 2_000))
      receivers.behave()
    },
  }),
)

const hangMs = 3_000
const stepMs = 300
/** An open transaction of a dispatcher must be over by then; one that is open while a request hangs is not. */
const openMsMax = 600

const hang = defineFault({
  name: 'receivers-hang',
  about: 'for 3 s no receiver answers: no transaction may be open meanwhile',
  needs: ['webhooks', 'sql'],
  // A dispatcher that is paused, or a PostgreSQL that is, has transactions open for long.
  alone: true,
  async run(context, signal) {
    const receivers = receiversOf(context)
    receivers.behave({ behaviour: 'hang' })
    try {
      for (let spent = 0; spent < hangMs && !signal.aborted; spent += stepMs) {
        await context.pause(stepMs)
        const open = await context.target.sql.rows(`
          SELECT application_name, round(extract(epoch FROM clock_timestamp() - xact_start) * 1000) AS ms
          FROM pg_stat_activity WHERE application_name LIKE 'sekali/%dispatcher-%'
          AND state LIKE 'idle in transaction%' AND clock_timestamp() - state_change > interval '${openMsMax} ms'`)
        const [one] = open
        if (one)
          throw new PromiseBroken(
            `${one.application_name} had a transaction open for ${one.ms} ms, over a call`,
          )
      }
    } finally {
      receivers.behave()
    }
  },
})

const goneMs = 20_000
/** What was handed out before it was disabled may just be on its way. */
const onItsWayMs = 500
const watchMs = 1_500

const gone = defineFault({
  name: 'receiver-gone',
  about: 'one receiver answers 410: nothing is sent there any more until somebody resumes it',
  needs: ['webhooks'],
  // A dispatcher that is paused sends what it has when it wakes.
  alone: true,
  async run(context, signal) {
    const receivers = receiversOf(context)
    const ask = askingOf(context)
    const { name } = context.random.pick(receivers.plans.filter(({ kind }) => kind === 'now and then'))
    const path = `/subscriptions/${name}`
    const isDisabled = async () => {
      const { state, why } = (await ask('GET', path)) as {
        readonly state: string
        readonly why: string | null
      }
      return state === 'disabled' && why === 'gone'
    }
    try {
      receivers.behave({ behaviour: 'gone', plan: name })
      if (!(await until(isDisabled, goneMs, signal))) throw new Error('nothing was sent to be answered 410')
      receivers.behave()
      await context.pause(onItsWayMs)
      const since = nowMs()
      await context.pause(watchMs)
      const late = receivers
        .notes()
        .flat()
        .find((note) => note.kind === 'sent' && note.plan === name && note.at > since)
      if (late) throw new PromiseBroken(`${name} was sent something after it had answered 410`)
    } finally {
      receivers.behave()
      await insist(() => ask('POST', `${path}/resume`))
    }
  },
})

const killReceiver = defineFault({
  name: 'kill-receiver',
  about: 'kill -9 of the receiver with requests that it has not answered; another one follows',
  needs: ['webhooks'],
  async run(context) {
    receiversOf(context).signal('SIGKILL')
    await context.pause(context.random.int(0, 500))
  },
})

const pauseReceiver = defineFault({
  name: 'pause-receiver',
  about: 'SIGSTOP of the receiver for up to 3 s: connections are made, and nobody answers',
  needs: ['webhooks'],
  async run(context) {
    const receivers = receiversOf(context)
    receivers.signal('SIGSTOP')
    await context.pause(context.random.int(300, 3_000))
    receivers.signal('SIGCONT')
  },
})

const nameElsewhere = defineFault({
  name: 'name-elsewhere',
  about: 'the name of an endpoint leads to an address inside for a second or two: nothing may be sent there',
  needs: ['webhooks'],
  async run({ target: { webhooks }, random, pause }) {
    await webhooks.lead('inside')
    await pause(random.int(800, 2_000))
    await webhooks.lead('by turns')
  },
})

export const receiverFaults: readonly Fault[] = [
  ...behaving,
  hang,
  gone,
  killReceiver,
  pauseReceiver,
  nameElsewhere,
]
