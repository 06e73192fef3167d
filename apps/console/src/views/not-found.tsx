import { Empty, PageHead } from '../components/basics.tsx'

/** For a URL that no view has. */
export function NotFound() {
  return (
    <>
      <PageHead title="Nothing here" />
      <Empty title="No view has this URL.">
        <a href="#/">Go to the overview</a>
      </Empty>
    </>
  )
}
