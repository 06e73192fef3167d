import { useRef, useState } from 'preact/hooks'
import { Button } from '../components/basics.tsx'
import { announce } from '../components/toast.tsx'
import { exportLines, exportMax, save } from '../http/export.ts'
import { plural } from '../text/words.ts'
import type { LogQuery } from './use-log.ts'

/** Saves what a search finds as NDJSON, a line an event, payloads as they were sent. */
export function ExportButton({ query }: { query: LogQuery }) {
  const [count, setCount] = useState<number>()
  const stop = useRef<AbortController>(undefined)
  const run = async () => {
    const abort = new AbortController()
    stop.current = abort
    setCount(0)
    try {
      const { file, events } = await exportLines({ ...query }, setCount, abort.signal)
      save(file, `${(query.topic ?? 'events').replace(/[^\w.-]/g, '_')}.ndjson`)
      announce(
        `${plural(events, 'event')} exported${events === exportMax ? ', which is the most at once' : ''}`,
      )
    } catch (error) {
      if (!abort.signal.aborted) announce(error instanceof Error ? error.message : String(error), 'problem')
    }
    setCount(undefined)
  }
  if (count === undefined) return <Button onClick={() => void run()}>Export NDJSON</Button>
  return <Button onClick={() => stop.current?.abort()}>Cancel export, {plural(count, 'event')}</Button>
}
