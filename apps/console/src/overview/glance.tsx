import type { ProjectionInfo, Stats } from '@sekali/client'
import { type Fact, Facts } from '../components/facts.tsx'
import { call, getJson, pathOf } from '../http/call.ts'
import { type Polled, usePolled } from '../http/poll.ts'
import type { Rates } from '../http/rates.ts'
import { linkTo } from '../routing/url.ts'
import { countText, plural, rateText } from '../text/words.ts'
import type { Finding } from './verdict.tsx'

const lettersMax = 1_000

interface Letter {
  readonly kind: 'entry' | 'conflict'
}

async function readLetters(signal: AbortSignal): Promise<readonly Letter[]> {
  return JSON.parse((await call(pathOf(['dead-letters'], { limit: lettersMax }), { signal })).text)
}

interface GlanceProps {
  readonly stats: Stats | undefined
  readonly rates: Rates | undefined
  readonly findings: readonly Finding[] | undefined
}

/** The few figures that say whether somebody is needed. */
export function Glance({ stats, rates, findings }: GlanceProps) {
  const letters = usePolled('letters', readLetters)
  const projections = usePolled('projections', (signal) =>
    getJson<readonly ProjectionInfo[]>('projections', signal),
  )
  return (
    <Facts
      label="At a glance"
      facts={[inFlight(stats, findings), rateFact(rates), letterFact(letters), projectionFact(projections)]}
    />
  )
}

function inFlight(stats: Stats | undefined, findings: readonly Finding[] | undefined): Fact {
  const lag = findings?.find(({ check }) => check === 'lag')
  const [, seconds] = /waited for (\d+) s/.exec(lag?.message ?? '') ?? []
  const oldest = seconds === undefined ? 'none waits longer than 10 s' : `the oldest waits for ${seconds} s`
  return {
    label: 'In flight',
    value: countText(stats?.totals.in_flight),
    note: lag === undefined || lag.level === 'unknown' ? 'its age is unknown' : oldest,
    tone: lag?.level === 'warning' ? 'warning' : undefined,
  }
}

function rateFact(rates: Rates | undefined): Fact {
  const [accepted, stored] = rates?.series.map(({ values }) => values.at(-1)) ?? []
  return {
    label: 'Accepted',
    value: rateText(accepted),
    note: `${rateText(stored)} stored, of the last 10 s`,
  }
}

function letterFact({ data, problem }: Polled<readonly Letter[]>): Fact {
  const label = 'Open dead letters'
  const href = linkTo(['dead-letters'])
  if (data === undefined || problem) return { label, href, value: 'unknown' }
  const conflicts = data.filter(({ kind }) => kind === 'conflict').length
  const more = data.length >= lettersMax ? ' or more' : ''
  return {
    label,
    href,
    value: `${countText(data.length)}${more}`,
    note: data.length === 0 ? 'nothing to mend' : `${plural(conflicts, 'conflict')} among them`,
    tone: data.length > 0 ? 'warning' : undefined,
  }
}

function projectionFact({ data, problem }: Polled<readonly ProjectionInfo[]>): Fact {
  const label = 'Failing projections'
  const href = linkTo(['projections'])
  if (data === undefined || problem) return { label, href, value: 'unknown' }
  const failing = data.filter(({ status, rebuild }) => isAmiss(status) || rebuild?.status === 'failed')
  return {
    label,
    href,
    value: countText(failing.length),
    note: failing.length === 0 ? `of ${data.length}` : failing.map(({ name }) => name).join(', '),
    tone: failing.length > 0 ? 'problem' : undefined,
  }
}

const isAmiss = (status: ProjectionInfo['status']): boolean => status === 'failed' || status === 'not_loaded'
