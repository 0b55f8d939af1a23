// Windows and kernels on maps that are smaller than they are.
import { MtcpError } from '../../../registry/errors.js';

/**
 * @param map height and width, padding included
 * @param window height and width that are looked at together
 * @throws MtcpError `component` if the map is smaller than the window
 */
export function checkExtent(
  map: readonly [number, number],
  window: readonly [number, number],
  what: string,
): void {
  if (map[0] >= window[0] && map[1] >= window[1]) return;
  throw new MtcpError(
    'component',
    `${what} covers ${window.join('x')} positions, and its map has ${map.join('x')}, padding included`,
    { hint: 'make the image larger, or the kernel, its dilation or the number of stages smaller' },
  );
}
