import { PageHead } from '../components/basics.tsx'
import type { View } from './view.ts'

export const overview: View = {
  path: '',
  title: () => 'Overview',
  component: Overview,
  entry: { words: 'Overview', group: 'Log', icon: 'M2 9l6-6 6 6M4 8v5h8V8' },
}

function Overview() {
  return <PageHead title="Overview" />
}
