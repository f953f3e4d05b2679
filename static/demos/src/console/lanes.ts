import { byId } from "../dom.ts";
import type { LinkEvent } from "./ledger.ts";

/** Milliseconds from the right edge to the left one. */
const span = 10_000;

interface Mark {
  at: number;
  kind: string;
  size: number; // radius in CSS pixels
  label: string;
}

/**
 * The picture of the last ten seconds: packets up in the upper lane, packets down
 * in the lower one, acknowledgements as strokes on the side they came from, cuts
 * across both. It is drawn only while there is something to see.
 */
export class Lanes {
  private readonly canvas = byId("lanes", HTMLCanvasElement);
  private marks: Mark[] = [];
  private frame = 0;

  constructor() {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.wake());
    new ResizeObserver(() => this.wake()).observe(this.canvas);
  }

  take(event: LinkEvent): void {
    const size = 2 + Math.min(6, Math.sqrt(event.bytes ?? 0) / 24);
    this.marks.push({ at: performance.now(), kind: event.kind, size, label: event.transport ?? "" });
    if (this.marks.length > 6000) {
      this.marks.splice(0, 1000); // more than there are pixels
    }
    this.wake();
  }

  private wake(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private draw(): void {
    const now = performance.now();
    this.marks = this.marks.filter((m) => now - m.at < span);

    const { canvas } = this;
    const scale = devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const pen = canvas.getContext("2d");
    if (!pen) {
      return;
    }
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    const style = getComputedStyle(canvas);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const lane = { up: height * 0.32, down: height * 0.68 };

    pen.strokeStyle = colour("--line");
    pen.lineWidth = 1;
    for (const y of Object.values(lane)) {
      pen.beginPath();
      pen.moveTo(0, Math.round(y) + 0.5);
      pen.lineTo(width, Math.round(y) + 0.5);
      pen.stroke();
    }

    let labelled = -Infinity; // right end of the last name that was written
    for (const mark of this.marks) {
      const x = width - 8 - ((now - mark.at) / span) * (width - 16);
      switch (mark.kind) {
        case "packet-sent":
          dot(pen, x, lane.up, mark.size, colour("--up"));
          break;
        case "packet-received":
          dot(pen, x, lane.down, mark.size, colour("--down"));
          break;
        case "ack-sent":
          stroke(pen, x, lane.up + 12, lane.up + 20, colour("--ack"));
          break;
        case "ack-received":
          stroke(pen, x, lane.down - 20, lane.down - 12, colour("--ack"));
          break;
        case "cut":
          stroke(pen, x, 4, height - 4, colour("--cut"));
          break;
        case "attach":
        case "resume":
          stroke(pen, x, height - 8, height, colour("--good"));
          labelled = name(pen, x, height - 2, { from: labelled, to: width }, mark.label, colour("--ink-2"));
          break;
      }
    }
    if (this.marks.length) {
      this.wake();
    }
  }
}

function dot(pen: CanvasRenderingContext2D, x: number, y: number, radius: number, colour: string): void {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fill();
}

function stroke(pen: CanvasRenderingContext2D, x: number, from: number, to: number, colour: string): void {
  pen.strokeStyle = colour;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.moveTo(x, from);
  pen.lineTo(x, to);
  pen.stroke();
}

/** Writes a transport's name beside its attachment if there is space; returns where space begins now. */
function name(pen: CanvasRenderingContext2D, x: number, y: number, space: { from: number; to: number }, text: string, colour: string): number {
  pen.fillStyle = colour;
  pen.font = "11px ui-monospace, monospace";
  const size = pen.measureText(text).width;
  const left = x + 4 + size > space.to ? x - 4 - size : x + 4;
  if (left < space.from) {
    return space.from;
  }
  pen.fillText(text, left, y);
  return left + size + 6;
}
