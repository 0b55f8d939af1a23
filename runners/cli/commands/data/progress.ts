// Progress messages that all `mtcp data` commands share.
import { Progress } from '../../progress.js';

/** Progress as JSON lines on stdout, or as a line on stderr. */
export function progressOf(json: boolean | undefined) {
  const progress = new Progress(process.stderr, Boolean(json));
  return {
    report: (done: number, total: number, what: string) => {
      if (json) process.stdout.write(`${JSON.stringify({ event: 'preparing', what, done, total })}\n`);
      else progress.state(`${what} ${done}/${total}`, done, total);
    },
    end: () => progress.clear(),
  };
}
