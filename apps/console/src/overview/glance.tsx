import type { ProjectionInfo, Stats } from '@sekali/client'
import { type Fact, Facts } from '../components/facts.tsx'
import { getJson } from '../http/call.ts'
import { currentOf } from '../http/current.ts'
import { type Polled, usePolled } from '../http/poll.ts'
import { newestWords, type Rates } from '../http/rates.ts'
import { linkTo } from '../routing/url.ts'
import { isForAllTopics, session } from '../session/session.ts'
import { countText, plural, rateText } from '../text/words.ts'

interface GlanceProps {
  readonly stats: Stats | undefined
  readonly rates: Rates | undefined
}

/** The few figures that say whether somebody is needed. */
export function Glance({ stats, rates }: GlanceProps) {
  const projections = usePolled('projections', (signal) =>
    getJson<readonly ProjectionInfo[]>('projections', signal),
  )
  return (
    <Facts
      label="At a glance"
      facts={[inFlight(stats), rateFact(rates), letterFact(stats), projectionFact(now(projections))]}
    />
  )
}

const now = <T,>(polled: Polled<T>): Polled<T> => ({ ...polled, data: currentOf(polled) })

/** As long as the doctor calls it well. */
const waitSecondsMax = 10

function inFlight(stats: Stats | undefined): Fact {
  const seconds = stats?.oldest_in_flight_seconds
  return {
    label: 'In flight',
    value: countText(stats?.totals.in_flight),
    note: waitText(seconds),
    tone: Number(seconds) > waitSecondsMax ? 'warning' : undefined,
  }
}

function waitText(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return 'its age is unknown'
  if (seconds === 0) return 'nothing waits'
  return seconds < 1 ? 'the oldest waits for less than 1 s' : `the oldest waits for ${Math.round(seconds)} s`
}

function rateFact(rates: Rates | undefined): Fact {
  if (session.value !== undefined && !isForAllTopics.value) {
    return { label: 'Accepted', value: 'unknown', note: 'for keys of all topics' }
  }
  const [accepted, stored] = rates?.series.map(({ values }) => values.at(-1)) ?? []
  const label = 'Accepted'
  if (rates === undefined) return { label, value: 'unknown' }
  if (rates.times.length === 0) return { label, value: 'unknown', note: 'not measured yet' }
  if (accepted === null && stored === null) return { label, value: 'unknown', note: 'not measured now' }
  return {
    label,
    value: rateText(accepted),
    note: `${rateText(stored)} stored, ${newestWords(rates, Date.now())}`,
  }
}

function letterFact(stats: Stats | undefined): Fact {
  const label = 'Open dead letters'
  const href = linkTo(['dead-letters'])
  const open = stats?.open_letters
  if (open === null || open === undefined) return { label, href, value: 'unknown' }
  const { entries, conflicts, deliveries = 0 } = open
  const all = entries + conflicts + deliveries
  const ofWorkers = deliveries === 0 ? '' : ` and ${plural(deliveries, 'delivery', 'deliveries')}`
  return {
    label,
    href,
    value: countText(all),
    note: all === 0 ? 'nothing to mend' : `${plural(conflicts, 'conflict')}${ofWorkers} among them`,
    tone: all > 0 ? 'warning' : undefined,
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
