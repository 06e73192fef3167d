import type { Diagnosis, Finding } from '@sekali/core/finding'
import { Badge, Banner, Card } from '../components/basics.tsx'
import type { Polled } from '../http/poll.ts'
import { isForAllTopics, may, session } from '../session/session.ts'
import { visible } from '../text/visible.ts'
import { plural } from '../text/words.ts'

const titles = {
  ok: 'All is well',
  warning: 'Something needs a look',
  problem: 'Something is wrong',
} as const

/** What a key lacks to be told them; undefined if it lacks nothing, or that is not known yet. */
function needsOfDoctor(): string | undefined {
  if (session.value === undefined) return undefined
  const needs = [
    ...(may('admin') ? [] : ['with the scope admin']),
    ...(isForAllTopics.value ? [] : ['for all topics']),
  ]
  return needs.length === 0 ? undefined : needs.join(' ')
}

/** Is all well: what the doctor finds, and what to do about it. */
export function Verdict({
  data,
  problem,
  at,
  isAway,
}: Polled<Diagnosis | undefined> & { readonly isAway: boolean }) {
  const needs = needsOfDoctor()
  if (needs !== undefined)
    return <Banner tone="unknown" title={`The doctor's findings need a key ${needs}`} />
  if (data === undefined && (problem || isAway || at !== undefined)) {
    return <NoFindings words="unknown now">Whether all is well is unknown now</NoFindings>
  }
  if (data === undefined) return <NoFindings words="looking …">The doctor is looking …</NoFindings>
  const amiss = data.findings.filter(({ level }) => level !== 'ok')
  const fine = data.findings.filter(({ level }) => level === 'ok')
  return (
    <Card title="Doctor" aside={<Badge tone={data.status}>{titles[data.status]}</Badge>}>
      {amiss.length > 0 && <Findings findings={amiss} />}
      <details class="fine">
        <summary>{plural(fine.length, 'check')} without a finding</summary>
        <Findings findings={fine} />
      </details>
    </Card>
  )
}

/** As high as when there is nothing amiss. */
const NoFindings = ({ words, children }: { words: string; children: string }) => (
  <Card title="Doctor" aside={<Badge tone="unknown">{words}</Badge>}>
    <p class="faint">{children}</p>
  </Card>
)

function Findings({ findings }: { findings: readonly Finding[] }) {
  return (
    <ul class="findings">
      {findings.map(({ check, level, message, remedy }) => (
        <li key={`${check} ${message}`}>
          <Badge tone={level}>{level}</Badge>
          <div class="finding-words">
            <code>{check}</code> {visible(message)}
            {remedy && <p class="remedy">{visible(remedy)}</p>}
          </div>
        </li>
      ))}
    </ul>
  )
}
