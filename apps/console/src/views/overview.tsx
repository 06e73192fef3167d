import type { Stats } from '@sekali/client'
import type { Diagnosis } from '@sekali/core/finding'
import { Banner, PageHead } from '../components/basics.tsx'
import { Time } from '../components/time.tsx'
import { Conservation } from '../figures/conservation.tsx'
import { RatesCard, useRates } from '../figures/rates.tsx'
import { getJson } from '../http/call.ts'
import { awaySince, currentOf } from '../http/current.ts'
import { pollMs, usePolled } from '../http/poll.ts'
import { Consumers } from '../overview/consumers.tsx'
import { Glance } from '../overview/glance.tsx'
import { Verdict } from '../overview/verdict.tsx'
import { linkTo } from '../routing/url.ts'
import { isForAllTopics, may, session } from '../session/session.ts'
import type { View } from './view.ts'

export const overview: View = {
  path: '',
  title: () => 'Overview',
  component: Overview,
  scope: 'read',
  entry: { words: 'Overview', group: 'Log', icon: 'M2 8.5 8 3l6 5.5M4 7.5V13h8V7.5' },
}

/** Is all well: the page that an operator keeps open. */
function Overview() {
  // Totals are of all topics, however few are on the page.
  const stats = usePolled('stats', (signal) => getJson<Stats>('stats?limit=1', signal))
  // Whoever is refused here stands in the audit log: it is not asked for in vain.
  const mayDiagnose = may('admin') && isForAllTopics.value
  const doctor = usePolled(
    `doctor ${mayDiagnose}`,
    async (signal) => (mayDiagnose ? await getJson<Diagnosis>('doctor', signal) : undefined),
    { everyMs: mayDiagnose ? pollMs : null },
  )
  const rates = useRates({ isWanted: isForAllTopics.value })
  const data = currentOf(stats)
  const findings = currentOf(doctor)
  return (
    <>
      <PageHead title="Overview">
        {stats.at !== undefined && (
          <span class="lead">
            {stats.problem ? 'Last known ' : 'Read '}
            <Time at={new Date(stats.at).toISOString()} />
          </span>
        )}
      </PageHead>
      <div class="stack">
        <Glance stats={data} rates={rates} />
        {data?.totals.accepted === 0 && may('publish') && (
          <Banner tone="accent" title="Nothing has come yet">
            <a href={linkTo(['publish'])}>Publish a first event</a>: this page then shows what came of it.
          </Banner>
        )}
        <Verdict {...doctor} data={findings} isAway={awaySince.value !== undefined} />
        {(session.value === undefined || isForAllTopics.value) && (
          <RatesCard data={rates} firstWithin="half a minute" />
        )}
        <Conservation figures={data?.totals} />
        <Consumers consumers={data?.consumers} />
      </div>
    </>
  )
}
