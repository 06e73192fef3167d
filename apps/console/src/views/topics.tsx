import type { Stats, TopicFigures } from '@sekali/client'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { Empty, PageHead } from '../components/basics.tsx'
import { Field } from '../components/field.tsx'
import { Pager } from '../components/pager.tsx'
import { ProblemBanner } from '../components/problem-banner.tsx'
import { Spark } from '../components/spark.tsx'
import { type Column, Table } from '../components/table.tsx'
import { call, pathOf } from '../http/call.ts'
import { usePolled } from '../http/poll.ts'
import { readRatesOfTopics } from '../http/rates.ts'
import { goTo, route, withQuery } from '../routing/route.ts'
import { linkTo } from '../routing/url.ts'
import { may, session } from '../session/session.ts'
import { rateOf, type Sample } from '../text/samples.ts'
import { isWild } from '../text/topic.ts'
import { countText, plural, rateText } from '../text/words.ts'
import type { View } from './view.ts'

export const topics: View = {
  path: 'topics',
  title: () => 'Topics',
  component: Topics,
  scope: 'read',
  entry: { words: 'Topics', group: 'Log', icon: 'M2 4h12M2 8h12M2 12h8' },
}

interface Row extends TopicFigures {
  /** Accepted a second, now. */
  readonly rate: number | null
  /** Accepted a second in each minute of the last hour; undefined if the gateway does not say. */
  readonly minutes: readonly (number | null)[] | undefined
}

const rowsStep = 100
const pageMax = 1_000
/** A gateway has a value for each minute. */
const historyMs = 60_000

async function readTopics(pattern: string | undefined, signal: AbortSignal) {
  const { text, headers } = await call(pathOf(['stats'], { topic: pattern, limit: pageMax }), { signal })
  const { topics } = JSON.parse(text) as Stats
  return { topics, hasMore: headers.has('Link') }
}

function Topics() {
  const filter = route.value.query.get('filter') ?? ''
  // Otherwise it is a part of names, of those that are loaded
  const pattern = isWild(filter) ? filter : undefined
  const { data, problem, at } = usePolled(`topics ${pattern ?? ''}`, (signal) => readTopics(pattern, signal))
  const samples = useSamples(data?.topics, at)
  // A key of some topics is refused all of them together
  const patterns = pattern === undefined ? (session.value?.topics ?? []) : [pattern]
  const history = usePolled(`rates ${patterns}`, (signal) => readRatesOfTopics(patterns, signal), {
    everyMs: historyMs,
  }).data
  const [max, setMax] = useState(rowsStep)
  const rows = useMemo(
    () => rowsOf(data?.topics ?? [], pattern === undefined ? filter : '', samples, history),
    [data, filter, pattern, samples, history],
  )
  const invalid = problem?.code === 'invalid_parameters' ? problem.errors[0]?.message : undefined
  return (
    <>
      <PageHead
        title="Topics"
        lead={
          data?.topics
            ? leadOf(data.topics.length, data.hasMore)
            : data === undefined && !problem
              ? 'Reading …'
              : undefined
        }
      >
        <Field
          label="Filter"
          type="search"
          class="filter"
          value={filter}
          placeholder="orders or orders.*.paid"
          error={invalid}
          onValue={(value) => goTo(withQuery({ filter: value }), { replace: true })}
        />
      </PageHead>
      {problem && !invalid && <ProblemBanner problem={problem} title="Topics could not be read" />}
      {data?.topics === null && (
        <Empty title="Topics are unknown while neither Redis nor PostgreSQL answers" />
      )}
      {data?.topics && rows.length === 0 && <NoTopics isFiltered={filter !== ''} />}
      {rows.length > 0 && (
        <>
          <Table
            caption="Topics"
            columns={columns}
            rows={rows}
            keyOf={({ topic }) => topic}
            sort="topic"
            max={max}
          />
          <Pager
            words={`${countText(Math.min(max, rows.length))} of ${plural(rows.length, 'topic')}`}
            onMore={max < rows.length ? () => setMax(max + rowsStep) : undefined}
          />
        </>
      )}
    </>
  )
}

const leadOf = (count: number, hasMore: boolean): string =>
  hasMore
    ? `The first ${countText(count)}; a pattern such as orders.> finds the others`
    : plural(count, 'topic')

function NoTopics({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered)
    return <Empty title="No topic matches">A pattern such as orders.&gt; searches all of them.</Empty>
  return (
    <Empty title="There is no topic yet">Its first event makes one{may('publish') && <PublishOne />}</Empty>
  )
}

const PublishOne = () => (
  <>
    : <a href={linkTo(['publish'])}>publish one</a>
  </>
)

type LastTwo = readonly [Sample | undefined, Sample | undefined]

function useSamples(topics: readonly TopicFigures[] | null | undefined, at: number | undefined) {
  const [samples, setSamples] = useState<LastTwo>([undefined, undefined])
  useEffect(() => {
    if (!topics || at === undefined) return
    const accepted = new Map(topics.map(({ topic, accepted }) => [topic, accepted]))
    setSamples(([, last]) => [last, { atMs: at, accepted }])
  }, [topics, at])
  return samples
}

const rowsOf = (
  topics: readonly TopicFigures[],
  part: string,
  [before, now]: LastTwo,
  history: ReadonlyMap<string, readonly (number | null)[]> | undefined,
): Row[] =>
  topics
    .filter(({ topic }) => topic.includes(part))
    .map((figures) => {
      const { topic } = figures
      return { ...figures, rate: rateOf(before, now, topic), minutes: history?.get(topic) }
    })

const count = (id: keyof TopicFigures & string, label: string, wide = false): Column<Row> => ({
  id,
  label,
  align: 'end',
  wide,
  by: (row) => row[id] as number | null,
  cell: (row) => <Count value={row[id] as number | null} />,
})

const Count = ({ value }: { value: number | null }) => (
  <span class={value === 0 ? 'nothing' : undefined}>{countText(value)}</span>
)

const columns: readonly Column<Row>[] = [
  {
    id: 'topic',
    label: 'Topic',
    by: ({ topic }) => topic,
    cell: ({ topic }) => <a href={linkTo(['topics', topic])}>{topic}</a>,
  },
  {
    id: 'rate',
    label: 'Rate',
    align: 'end',
    by: ({ rate }) => rate,
    cell: ({ rate }) => <span class={rate ? undefined : 'nothing'}>{rateText(rate)}</span>,
  },
  {
    id: 'chart',
    label: 'Last hour',
    wide: true,
    cell: ({ topic, rate, minutes }) => (
      <Spark values={minutes ?? []} label={`Rate of ${topic} in the last hour, now ${rateText(rate)}`} />
    ),
  },
  count('stored', 'Stored'),
  count('in_flight', 'In flight'),
  count('duplicates', 'Duplicates', true),
  count('conflicts', 'Conflicts', true),
  count('dead', 'Dead', true),
]
