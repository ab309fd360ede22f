"""The photo puppet: `python benchmarks/puppet.py [PHOTO …] [--frames N] [--json]`, one core.

Preparation from the photo file to the first frame, without and with what is kept on disk; ms per frame with
everything moving, in the sizes 512 and, where a photo has that much, 1024; the gap of the lips on p, b and m,
measured in the drawn picture against the same mouth a little open; whether a mouth at rest stays still. `--strips`
draws the sounds, blinks and turns to look at.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from animator.human.avatar import Avatar, prepare  # noqa: E402
from animator.lipsync.mouth_track import MouthTrack  # noqa: E402
from animator.messages import Phone, PlayoutAnchor, Pose  # noqa: E402
from animator.puppet.face import PuppetFace  # noqa: E402
from animator.puppet.face_shape import mouth_of  # noqa: E402
from animator.tha3 import pose as p  # noqa: E402

PHOTOS = tuple(sorted((ROOT / "tests" / "data" / "faces").glob("*.jpg")))
SOUNDS = ("p", "b", "m", "a", "i", "u", "e", "o", "w", "f")


def pose_in(track: MouthTrack, time_s: float) -> Pose:
    """The mouth that the track has then, on a face at rest."""
    pose = p.neutral()
    pose[p.MOUTH] = track.at(time_s)
    return pose


def spoken(ipa: str) -> tuple[MouthTrack, float]:
    """A loud "a", the sound, an "a": its mouth, and the middle of the sound in s."""
    if ipa in "aiueo":
        phones, middle_s = (Phone(ipa, 0.1, 0.5),), 0.32
    else:
        phones, middle_s = (Phone("a", 0.1, 0.4), Phone(ipa, 0.4, 0.52), Phone("a", 0.52, 0.8)), 0.45
    seconds = np.arange(round(16_000 * 0.9)) / 16_000
    return MouthTrack(phones, (0.3 * np.sin(2 * np.pi * 140 * seconds)).astype(np.float32), 16_000), middle_s


def shut_at(ipa: str) -> Pose:
    """The pose at which the sound's lips are nearest."""
    track, middle_s = spoken(ipa)
    times = np.arange(middle_s - 0.12, middle_s + 0.12, 1 / 120)
    return min((pose_in(track, float(t)) for t in times), key=lambda pose: float(pose[p.MOUTH].sum()))


def dark_px(face: PuppetFace, pose: Pose) -> float:
    """Pixels down the lips' middle that differ from the shut mouth by a tenth or more: what a viewer sees open."""
    rest, open_ = (face.mouth.draw(mouth_of(each)).astype(np.int16) for each in (p.neutral(), pose))
    middle = rest.shape[1] // 2
    return float((np.abs(open_ - rest).max(axis=2)[:, middle - 2 : middle + 3] > 25).sum(axis=0).mean())


def moving(k: int) -> Pose:
    """Frame `k` of a talk with everything moving."""
    return p.pose_of(
        mouth_aaa=0.5 + 0.5 * np.sin(k * 0.5),
        mouth_iii=0.3 * (k % 3 == 0),
        eye_wink=max(0.0, np.sin(k * 0.2)),
        eyebrow_raised=0.5 + 0.5 * np.sin(k * 0.11),
        iris_rotation_y=0.2 * np.sin(k * 0.07),
        head_x=0.3 * np.sin(k * 0.05),
        head_y=0.3 * np.sin(k * 0.06),
        neck_z=0.2 * np.sin(k * 0.04),
        breathing=0.5 + 0.5 * np.sin(k * 0.1),
    )


def frame_ms(face: PuppetFace, frames: int) -> dict[str, float]:
    """Median, 99th percentile and least by the clock; `cpu`: the median of what the core worked for it."""
    spent: list[float] = []
    worked: list[float] = []
    for k in range(frames):
        pose = moving(k)
        start_s, worked_s = time.perf_counter(), time.thread_time()
        face.draw(pose)
        spent.append(1e3 * (time.perf_counter() - start_s))
        worked.append(1e3 * (time.thread_time() - worked_s))
    return {
        "median": round(float(np.median(spent)), 2),
        "p99": round(float(np.percentile(spent, 99)), 2),
        "least": round(min(spent), 2),
        "cpu": round(float(np.median(worked)), 2),
    }


def measure(photo: Path, frames: int) -> dict[str, Any]:
    """Everything about one photo."""
    data = photo.read_bytes()
    with tempfile.TemporaryDirectory() as scratch:

        def ready(large: bool = False) -> tuple[Avatar, PuppetFace, float]:
            start_s = time.perf_counter()
            avatar = prepare(data, Path(scratch), lambda what, share: None, large=large)
            face = PuppetFace(avatar.portrait)
            face.draw(p.neutral())
            return avatar, face, time.perf_counter() - start_s

        avatar, face, new_s = ready()
        _, face, kept_s = ready()
        _, large_face, _ = ready(large=True)
    found: dict[str, Any] = {"photo": photo.name, "prepare_s": round(new_s, 2), "kept_s": round(kept_s, 3)}
    found["frame_ms"] = frame_ms(face, frames)
    if large_face.size_px > face.size_px:
        found["frame_ms_large"] = frame_ms(large_face, frames)
    found["lips_px"] = {
        ipa: {"curves": round(face.mouth.gap_px(mouth_of(shut_at(ipa))), 2), "drawn": dark_px(face, shut_at(ipa))}
        for ipa in "pbm"
    }
    found["open_px"] = {
        "curves": round(face.mouth.gap_px(mouth_of(p.pose_of(mouth_aaa=1))), 1),
        "drawn": dark_px(face, p.pose_of(mouth_aaa=1)),
    }
    still = [face.draw(p.neutral()) for _ in range(2)]
    found["still"] = bool(np.array_equal(*still))
    found["notes"] = list(avatar.notes)
    return found


def strip(photo: Path, folder: Path) -> Path:
    """A sheet of sounds, blinks and turns of one photo."""
    avatar = prepare(
        photo.read_bytes(), Path(tempfile.gettempdir()) / "kuchipaku-puppet-strips", lambda what, share: None
    )
    face = PuppetFace(avatar.portrait)
    shown: list[tuple[str, Pose]] = [("at rest", p.neutral())]
    for ipa in SOUNDS:
        track, middle_s = spoken(ipa)
        shown.append((ipa, shut_at(ipa) if ipa in "pbmf" else pose_in(track, middle_s)))
    shown += [(f"blink {share:.1f}", p.pose_of(eye_wink=share)) for share in (0.3, 0.6, 1.0)]
    shown += [
        ("looks aside", p.pose_of(iris_rotation_y=0.5)),
        ("brows up", p.pose_of(eyebrow_raised=1, eye_surprised=1)),
    ]
    shown += [("turned", p.pose_of(head_y=0.5)), ("other way", p.pose_of(head_y=-0.5)), ("up", p.pose_of(head_x=0.5))]
    shown += [("down", p.pose_of(head_x=-0.5)), ("tilted", p.pose_of(neck_z=0.5))]
    points = avatar.portrait.points[:468, :2]
    middle, tall = points.mean(axis=0), float(np.ptp(points[:, 1]))
    x0, y0 = np.maximum(middle - 0.92 * tall, 0).astype(int)
    side = int(1.84 * tall)
    tiles = []
    for name, pose in shown:
        cut = face.draw(pose)[y0 : y0 + side, x0 : x0 + side, :3]
        tile = cv2.resize(cut, (300, 300), interpolation=cv2.INTER_CUBIC)
        cv2.putText(tile, name, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(tile, name, (8, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (255, 255, 255), 1, cv2.LINE_AA)
        tiles.append(tile)
    wide = 7
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % wide)
    sheet = np.vstack([np.hstack(tiles[k : k + wide]) for k in range(0, len(tiles), wide)])
    out = folder / f"puppet-{photo.stem.replace('_', '-')}.png"
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(out), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return out


def film(photo: Path, sound: Path, out: Path) -> Path:
    """The photo speaks a recording, heard as the app hears a voice that states no sounds of its own."""
    from animator.messages import SpeechClip
    from animator.tha3.animator import Tha3
    from animator.timebase import LEAD_S, TAIL_S, Playout
    from app.audio_file import read_speech
    from app.backends.video_file import VideoFile

    samples = read_speech(sound)
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "photo.jpg").write_bytes(photo.read_bytes())
        (Path(scratch) / "character.toml").write_text('photo = "photo.jpg"\nconsent = true\n')
        engine = Tha3(Path(scratch), Path(scratch) / "cache")
        engine.load(Path(scratch), lambda what, share: None)
    clip = SpeechClip(1, 0, samples, 16_000, "", None, True, "en")
    lips = engine.push(clip)
    print(f"lips: {lips.method if lips else 'none'}")
    playout = Playout()
    playout.add_clip(1, 0, clip.duration_s)
    playout.anchor(PlayoutAnchor(1, 0, 0, 16_000, 500_000_000))
    written = VideoFile(out)
    written.silence_until(0.5)
    written.sound(samples, 16_000)
    for k in range(round(30 * (0.5 + LEAD_S + clip.duration_s + TAIL_S + 0.5))):
        host_ns = k * 1_000_000_000 // 30
        written.frame(engine.render(playout.speech_time(host_ns), host_ns))
    written.close()
    return out


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, default=PHOTOS)
    parser.add_argument("--frames", type=int, default=600)
    parser.add_argument("--strips", type=Path, metavar="FOLDER", help="draw sounds, blinks and turns, measure nothing")
    parser.add_argument("--film", type=Path, metavar="FILE.mp4", help="film the first photo speaking --sound")
    parser.add_argument("--sound", type=Path, default=ROOT / "tests" / "data" / "jfk.flac")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.strips is not None:
        for photo in given.photos:
            print(strip(photo, given.strips))
        return
    if given.film is not None:
        print(film(given.photos[0], given.sound, given.film))
        return
    cv2.setNumThreads(1)
    machine = {
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "opencv": cv2.__version__,
        "numpy": np.__version__,
    }
    result = {"faces": [measure(photo, given.frames) for photo in given.photos], "machine": machine}
    if given.json:
        print(json.dumps(result))
        return
    for each in result["faces"]:
        ms = each["frame_ms"]
        print(f"{each['photo']}: prepared in {each['prepare_s']} s, from disk in {each['kept_s']} s")
        print(
            f"  512 px: median {ms['median']} ms a frame, p99 {ms['p99']}, least {ms['least']}; "
            f"the core works {ms['cpu']}"
        )
        if "frame_ms_large" in each:
            large = each["frame_ms_large"]
            print(f"  1024 px: median {large['median']} ms a frame, p99 {large['p99']}, least {large['least']}")
        lips = ", ".join(f"{ipa} {gap['curves']} / {gap['drawn']:.1f}" for ipa, gap in each["lips_px"].items())
        print(
            f"  gap of the lips in px, curves / drawn: {lips}; "
            f"a: {each['open_px']['curves']} / {each['open_px']['drawn']:.1f}"
        )
        print(f"  at rest every frame is the same: {each['still']}")
    print(", ".join(f"{key} {value}" for key, value in machine.items()))


if __name__ == "__main__":
    main()
