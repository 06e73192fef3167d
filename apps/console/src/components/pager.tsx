import { Button } from './basics.tsx'

interface PagerProps {
  /** What is shown: `100 of 1,240 topics`. */
  readonly words: string
  readonly onMore?: (() => void) | undefined
  readonly busy?: boolean
}

/** Under a list: how much of it is there, and a button for more. */
export function Pager({ words, onMore, busy = false }: PagerProps) {
  return (
    <div class="pager">
      <span>{words}</span>
      {onMore && (
        <Button onClick={onMore} busy={busy}>
          Show more
        </Button>
      )}
    </div>
  )
}
