import { visible } from '../text/visible.ts'

/** A name or an id that somebody else has chosen: any text. `isCut`: as much of it as fits, the rest in its title. */
export const Name = ({ of, isCut = false }: { of: string; isCut?: boolean }) => (
  <bdi class={isCut ? 'cut mono' : 'mono'} title={isCut ? visible(of) : undefined}>
    {visible(of)}
  </bdi>
)
