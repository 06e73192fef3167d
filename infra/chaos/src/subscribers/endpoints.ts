// The endpoints of a run, beside its worker groups, and their receiver; from before the first fault until all is delivered.
import { freePort } from '@sekali/servers/free-port'
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import { readAttempts, readUnsettled, startEndpointLooks } from '../check/endpoint-state.ts'
import type { EndpointEvidence } from '../check/evidence.ts'
import { readDead, readLag } from '../check/group-state.ts'
import type { Door } from '../clients/door.ts'
import { patiently, until } from '../clock.ts'
import { type EndpointPlan, endpointPlansOf, leaseMs } from '../receivers/plan.ts'
import { type Receivers, startReceivers } from '../receivers/receivers.ts'
import type { TargetWith } from '../targets/target.ts'

export interface Endpoints extends AsyncDisposable {
  readonly receivers: Receivers
  /** Kills all dispatchers at once, so that PostgreSQL is asked what is unsettled when much is; others follow. */
  cut(): Promise<void>
  /** Resolves once nothing is left to be sent, which is measured from the cut. The log must have drained before that. */
  finish(): Promise<EndpointEvidence>
}

interface EndpointsOptions {
  readonly seed: number
  readonly pattern: string
}

export async function startEndpoints(
  { seed, pattern }: EndpointsOptions,
  target: TargetWith<'webhooks' | 'processes' | 'sql'>,
  door: Door,
): Promise<Endpoints> {
  await using parts = new AsyncDisposableStack()
  const { path: dir } = parts.use(await temporaryFolder('sekali-chaos-receivers-'))
  const { webhooks, processes, sql } = target
  const port = await freePort()
  const planned = endpointPlansOf({ seed, pattern, port, webhooks })
  const plans = await Promise.all(
    planned.map(async (plan) => ({ ...plan, secret: await patiently(() => subscribe(door, plan)) })),
  )
  const receivers = parts.use(startReceivers({ ...webhooks, seed, port, plans, dir }))
  const looks = startEndpointLooks(sql, plans)
  parts.defer(async () => void (await looks.finish()))
  const opened = parts.move()
  let draining: Promise<EndpointEvidence['drain']> | undefined
  return {
    receivers,
    cut: async () => {
      receivers.behave()
      await webhooks.lead('by turns')
      for (const part of await processes.parts())
        if (part.kind === 'dispatcher') await processes.signal(part, 'SIGKILL')
      await looks.look()
      draining = awaitDelivery(door, planned, target.recoveryMsMax + leaseMs)
    },
    finish: async () => {
      const drain = (await draining) ?? { ms: undefined, msMax: 0, left: 'the dispatchers were not cut' }
      const secrets = [
        webhooks.key,
        ...plans.flatMap(({ secret, own }) => [secret.replace('whsec_', ''), own]),
      ]
      const seen = new RegExp(secrets.map(RegExp.escape).join('|'))
      // In this order: what becomes dead meanwhile is both, and nothing is neither.
      const unsettled = await patiently(() => readUnsettled(sql, planned))
      const dead = await Promise.all(
        planned.map(async (plan) => [plan.name, await patiently(() => readDead(door, plan))] as const),
      )
      const attempts = await patiently(() => readAttempts(sql, planned, secrets))
      const words = await looks.finish()
      const notes = await receivers.finish()
      const lines = (await target.logged(seen, 0)) ?? []
      return {
        plans: planned,
        notes,
        dead: new Map(dead),
        unsettled,
        ...attempts,
        looks: words,
        lines,
        drain,
      }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

async function subscribe(door: Door, { name, config }: EndpointPlan): Promise<string> {
  const { status, body } = await door.put(`/subscriptions/${name}`, JSON.stringify(config))
  const { secret } = JSON.parse(body) as { readonly secret?: string }
  if (status === 201 && secret !== undefined) return secret
  throw new Error(`PUT /subscriptions/${name} was answered ${status}: ${body.slice(0, 200)}`)
}

/** Until nothing is left, but where nothing may be sent. */
async function awaitDelivery(
  door: Door,
  plans: readonly EndpointPlan[],
  msMax: number,
): Promise<EndpointEvidence['drain']> {
  const since = performance.now()
  let left = 'nothing could be asked'
  const isDelivered = async () => {
    const open = plans.filter(({ kind }) => kind !== 'inside')
    const lags = await Promise.all(open.map((plan) => readLag(door, plan)))
    left = open.map(({ name }, at) => `${lags[at]} of ${name}`).join(', ')
    return lags.every((lag) => lag === 0)
  }
  // Waits longer than it may take, so that what comes late is told from what never comes.
  const delivered = await until(isDelivered, 2 * msMax)
  return { ms: delivered ? performance.now() - since : undefined, msMax, left }
}
