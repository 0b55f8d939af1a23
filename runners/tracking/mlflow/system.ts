// Samples the load of the machine while a trial runs, under the names of MLflow's own sampler, so that they appear on
// the page "System metrics" of a run. Samples are written to system.jsonl in the trial's folder first.
import { execFile } from 'node:child_process';
import { appendFileSync, readFileSync, statfsSync } from 'node:fs';
import { cpus, freemem, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { JsonFormat } from '../../../registry/support/json-file.js';
import type { Metric } from './client/index.js';

export const SYSTEM_FILE = 'system.jsonl';

export interface SystemSample {
  /** Counts from 0 over the life of the trial. */
  step: number;
  /** Milliseconds since 1970. */
  time: number;
  /** Without the prefix system/. */
  values: Record<string, number>;
}

export const SAMPLE = new JsonFormat<SystemSample>('a sample of the machine', {
  type: 'object',
  required: ['step', 'time', 'values'],
  properties: {
    step: { type: 'integer', minimum: 0 },
    time: { type: 'number' },
    values: { type: 'object', additionalProperties: { type: 'number' } },
  },
});

export const systemMetrics = ({ step, time, values }: SystemSample): Metric[] =>
  Object.entries(values).map(([name, value]) => ({ key: `system/${name}`, value, step, timestamp: time }));

const MEGABYTE = 1e6;
const share = (part: number, whole: number): number => (whole > 0 ? (100 * part) / whole : 0);

export class SystemSampler {
  #cpu = cpuTimes();
  readonly #network = networkBytes();
  #gpus = true;

  /** The values now; what is a rate is the mean since the last call. */
  async sample(folder: string): Promise<Record<string, number>> {
    const before = this.#cpu;
    this.#cpu = cpuTimes();
    const total = this.#cpu.total - before.total;
    const busy = total - (this.#cpu.idle - before.idle);
    const available = availableMemory();
    const used = totalmem() - available;
    const values: Record<string, number> = {
      cpu_utilization_percentage: share(busy, total),
      system_memory_usage_megabytes: used / MEGABYTE,
      system_memory_usage_percentage: share(used, totalmem()),
      ...diskValues(folder),
    };
    const network = networkBytes();
    if (network && this.#network) {
      values.network_receive_megabytes = (network.received - this.#network.received) / MEGABYTE;
      values.network_transmit_megabytes = (network.sent - this.#network.sent) / MEGABYTE;
    }
    return { ...values, ...(await this.#gpuValues()) };
  }

  async #gpuValues(): Promise<Record<string, number>> {
    if (!this.#gpus) return {};
    const query = 'index,utilization.gpu,memory.used,memory.total,power.draw';
    try {
      const { stdout } = await promisify(execFile)(
        'nvidia-smi',
        [`--query-gpu=${query}`, '--format=csv,noheader,nounits'],
        { timeout: 5000 },
      );
      return gpuValues(stdout);
    } catch {
      // No such card: asked once.
      this.#gpus = false;
      return {};
    }
  }
}

/** @param csv lines of index, utilization %, used MiB, total MiB, power W */
export function gpuValues(csv: string): Record<string, number> {
  const values: Record<string, number> = {};
  for (const line of csv.trim().split('\n')) {
    const [index, utilization, used, total, power] = line.split(',').map(Number);
    const MIB = 1.048576;
    const named = {
      utilization_percentage: utilization,
      memory_usage_megabytes: used * MIB,
      memory_usage_percentage: share(used, total),
      power_usage_watts: power,
    };
    for (const [name, value] of Object.entries(named))
      if (Number.isFinite(value)) values[`gpu_${index}_${name}`] = value;
  }
  return values;
}

/** Appends a sample to the file of a trial. */
export function writeSample(path: string, values: Record<string, number>): void {
  let step = 0;
  try {
    step = readFileSync(path, 'utf8').split('\n').length - 1;
  } catch {
    // The first one.
  }
  appendFileSync(path, `${JSON.stringify({ step, time: Date.now(), values } satisfies SystemSample)}\n`);
}

function cpuTimes(): { total: number; idle: number } {
  let [total, idle] = [0, 0];
  for (const { times } of cpus()) {
    total += times.user + times.nice + times.sys + times.idle + times.irq;
    idle += times.idle;
  }
  return { total, idle };
}

/** Without what the system keeps only as a cache. */
function availableMemory(): number {
  try {
    const match = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'));
    return match ? Number(match[1]) * 1024 : freemem();
  } catch {
    return freemem();
  }
}

function diskValues(folder: string): Record<string, number> {
  try {
    const { bsize, blocks, bfree, bavail } = statfsSync(folder);
    const used = (blocks - bfree) * bsize;
    return {
      disk_usage_megabytes: used / MEGABYTE,
      disk_usage_percentage: share(used, used + bavail * bsize),
      disk_available_megabytes: (bavail * bsize) / MEGABYTE,
    };
  } catch {
    return {};
  }
}

function networkBytes(): { received: number; sent: number } | undefined {
  try {
    let [received, sent] = [0, 0];
    for (const line of readFileSync('/proc/net/dev', 'utf8').split('\n').slice(2)) {
      const numbers = line.split(':')[1]?.trim().split(/\s+/).map(Number);
      if (!numbers) continue;
      received += numbers[0];
      sent += numbers[8];
    }
    return { received, sent };
  } catch {
    return undefined;
  }
}
