import { useEffect, useState } from 'preact/hooks'
import { goTo, route } from '../routing/route.ts'
import { linkTo } from '../routing/url.ts'

/** A topic, a pattern or the bare id of an event, from any view. */
export function FindBox() {
  const { segments, query } = route.value
  const [words, setWords] = useState('')
  // What was looked for is found, or given up
  const looked = query.get('find') ?? ''
  useEffect(() => setWords(looked), [segments.join('/'), looked])
  return (
    <search>
      <form
        class="find"
        onSubmit={(event) => {
          event.preventDefault()
          if (words.trim() !== '') goTo(linkTo(['search'], { find: words.trim() }))
        }}
      >
        <label class="unseen" for="find">
          Find a topic, a pattern or an event id
        </label>
        <input
          id="find"
          type="search"
          placeholder="Topic or event id"
          value={words}
          autocomplete="off"
          spellcheck={false}
          onInput={(event) => setWords(event.currentTarget.value)}
        />
      </form>
    </search>
  )
}
