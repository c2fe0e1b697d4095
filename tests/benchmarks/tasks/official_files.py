"""Official files in miniature: the form of each data set's own, with media of a few pixels and samples."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nextgpt.media import Audio, Image, Video

TEN = [{"answer": "soup", "answer_confidence": "yes", "answer_id": k} for k in range(1, 11)]


def picture(path: Path, side: int = 8) -> Path:
    """A picture, written as PNG whatever its name ends in: decoders look at the content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(Image(np.full((side, side, 3), side, dtype=np.uint8)).png())
    return path


def clip(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(Video(np.zeros((8, 16, 16, 3), dtype=np.uint8), 4).mkv())
    return path


def sound(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(Audio(np.zeros(1600, dtype=np.float32), 16_000).wav())
    return path


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def karpathy(name: str, **more: Any) -> dict[str, Any]:
    sentences = [{"raw": "A dog runs.", "tokens": ["a", "dog", "runs"]}, {"raw": "a dog", "tokens": []}]
    row = {"filename": name, "imgid": 5, "split": "test", "sentences": sentences, **more}
    return {"images": [{**row, "imgid": 4, "cocoid": 3, "split": "train"}, row], "dataset": "x"}


def coco(name: str, **image: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 7, "file_name": name, **image}],
        "annotations": [{"id": 1, "image_id": 7, "caption": "a dog"}],
    }


def pair(folder: Path, questions: str, annotations: str, image: Any, **more: Any) -> None:
    """VQA v2's pair of files, one question."""
    ids = {"question_id": 1, "image_id": image}
    write(folder / questions, {"data_subtype": "val2014", "questions": [{**ids, "question": "What is it?"}]})
    write(folder / annotations, {"annotations": [{**ids, "answers": TEN, "answer_type": "other", **more}]})


def pope(folder: Path) -> None:
    name = "COCO_val2014_000000310196.jpg"
    row = {"question_id": 1, "image": name, "text": "Is there a snowboard in the image?", "label": "yes"}
    for kind in ("random", "popular", "adversarial"):
        lines = [json.dumps({**row, "question_id": k}) for k in (1, 2)]
        write(folder / f"coco_pope_{kind}.json", "\n".join(lines))
    picture(folder / "val2014" / name)


def mmbench(folder: Path) -> None:
    content = base64.b64encode(picture(folder / "x.png").read_bytes()).decode()
    head = "index\tquestion\thint\tA\tB\tC\tD\tanswer\tcategory\timage\tsource\tl2-category\tcomment\tsplit\n"
    rows = "7\tWhich?\t\ta cat\ta dog\t\t\tB\tobject\t" + content + "\tx\ty\t\tdev\n"
    rows += "1000007\tWhich?\tLook.\ta dog\ta cat\t\t\tA\tobject\t7\tx\ty\t\tdev\n"
    write(folder / "mmbench_dev_20230712.tsv", head + rows)
    (folder / "x.png").unlink()


def seed_bench(folder: Path) -> None:
    choices = {f"choice_{letter}": f"option {letter}" for letter in "abcd"}
    row = {**choices, "question": "How many?", "question_id": "10", "question_type_id": 5, "answer": "C"}
    rows = [
        {**row, "data_id": "1_2", "data_type": "image"},
        {**row, "question_id": "11", "data_type": "video"},
    ]
    write(folder / "SEED-Bench.json", {"questions": rows, "question_type": {"Instance Counting": 5}})
    picture(folder / "SEED-Bench-image" / "1_2")


def msr_vtt(folder: Path) -> None:
    videos = [{"video_id": "video7010", "split": "test"}, {"video_id": "video1", "split": "train"}]
    sentences = [
        {"video_id": "video7010", "caption": "a man sings", "sen_id": 1},
        {"video_id": "video1", "caption": "a dog", "sen_id": 2},
    ]
    write(folder / "test_videodatainfo.json", {"videos": videos, "sentences": sentences})
    clip(folder / "TestVideo" / "video7010.mp4")


def msvd(folder: Path) -> None:
    write(folder / "youtube_mapping.txt", "abc_1_9 vid1301\nxyz_5_15 vid1\n")
    lines = "# Copyright\n\nabc_1_9 a man is singing\nabc_1_9 someone sings\nxyz_5_15 a dog\n"
    write(folder / "AllVideoDescriptions.txt", lines)
    row = {"answer": "man", "id": 4, "question": "who is singing?", "video_id": 1301}
    write(folder / "test_qa.json", [row])
    clip(folder / "YouTubeClips" / "abc_1_9.avi")


def next_qa(folder: Path, options: bool) -> None:
    head = "video,frame_count,width,height,question,answer,qid,type" + (",a0,a1,a2,a3,a4" if options else "")
    answer, more = ("2", ",run,sit,hop,fly,eat") if options else ("hop", "")
    rows = f"{head}\r\n4010069381,9,8,8,how does it move,{answer},6,CH{more}\r\n"
    write(folder / ("val.csv" if options else "test.csv"), "\ufeff" + rows)
    write(folder / "map_vid_vidorID.json", {"4010069381": "0001/4010069381"})
    clip(folder / "NExTVideo" / "0001" / "4010069381.mp4")


def activitynet(folder: Path) -> None:
    write(
        folder / "test_q.json", [{"video_name": "ab_c", "question": "is it red", "question_id": "v_ab_c_3"}]
    )
    write(folder / "test_a.json", [{"answer": "yes", "type": 3, "question_id": "v_ab_c_3"}])
    clip(folder / "videos" / "v_ab_c.mkv")


def audiocaps(folder: Path) -> None:
    head = "audiocap_id,youtube_id,start_time,caption\n"
    write(folder / "test.csv", head + '1,-ab,20,"A dog, barking"\n2,-ab,20,A dog barks\n')
    sound(folder / "audio" / "-ab_20.wav")


def kept_photographs(folder: Path) -> None:
    """Photograph 71 is kept from training, photograph 86 is learnt from."""
    data = coco("a.png")
    data["images"] = [{"id": number, "file_name": "a.png"} for number in (86, 71)]
    data["annotations"] = [{"id": k, "image_id": k, "caption": f"a dog of {k}"} for k in (86, 71)]
    write(folder / "captions.json", data)
    picture(folder / "images" / "a.png")


def kept_clips(folder: Path) -> None:
    write(folder / "youtube_mapping.txt", "abc_1_9 vid98\n")
    row = {"file": "abc_1_9.avi", "vid": "vid98", "caption_split": "train", "captions": ["a man sings"]}
    write(folder / "captions.json", [row])
    asked = {"answer": "man", "question": "who is singing?", "video_id": 98, "split": "train"}
    write(folder / "msvd_qa.json", [{**asked, "id": number} for number in range(7)])
    clip(folder / "videos" / "abc_1_9.avi")


def kept_sounds(folder: Path) -> None:
    """Of these clips 31WGUPOYS5g_22 is kept from training."""
    rows = ["1,FDwK7T1JO_0,160,a dog", "2,31WGUPOYS5g,22,a siren", "3,31WGUPOYS5g,22,sirens"]
    write(folder / "captions.csv", "\n".join(["audiocap_id,youtube_id,start_time,caption", *rows, ""]))
    sound(folder / "audio" / "31WGUPOYS5g_22.wav")


def esc50(folder: Path) -> None:
    write(folder / "esc50.csv", "filename,fold,category\na.wav,1,church_bells\nb.wav,1,cat\n")
    sound(folder / "audio" / "a.wav")


def clotho(folder: Path) -> None:
    names = ",".join(f"caption_{k}" for k in range(1, 6))
    write(folder / "clotho_captions_evaluation.csv", f"file_name,{names}\nSanta Motor.wav,a,b,c,d,e\n")
    sound(folder / "evaluation" / "Santa Motor.wav")


def editing(folder: Path, name: str, **more: str) -> None:
    row = {"id": "1", "source": name, "instruction": "make it a cat", "result": "a cat", "kind": "object"}
    write(folder / "edits.jsonl", json.dumps({**row, **more}) + "\n")


def davis(folder: Path) -> None:
    changes = "Style Change Caption,Object Change Caption,Background Change Caption,Multiple Changes Caption"
    rows = ["DAVIS Videos:,,,,,", "bear,a bear,s,o,b,m", ",,,,,", "Youtube Videos:,,,,,", "car,a car,s,o,b,m"]
    write(folder / "LOVEU-TGVE-2023_Dataset.csv", f"Video name,Our GT caption,{changes}\n" + "\n".join(rows))
    for frame in range(3):
        picture(folder / "DAVIS_480p" / "480p_frames" / "bear" / f"{frame:05}.png")


def unim(folder: Path) -> None:
    said = {
        "modal": {"image1": "image/a.jpg", "audio1": "audio/b.mp3"},
        "content": "Hear <audio1>, see <image1>.",
    }
    true = {"modal": {"audio2": "audio/c.mp3"}, "content": "First <image2>, then <audio2>."}
    row = {"domain": "general", "subdomain": "x", "id": "1", "input": said, "output": true}
    pdf = {**row, "id": "2", "input": {"modal": {"document1": "d.pdf"}, "content": "Read <document1>."}}
    write(folder / "unim_input_gt.jsonl", json.dumps(row, indent=1) + "\n" + json.dumps(pdf, indent=1))
    picture(folder / "image" / "a.jpg")
    sound(folder / "audio" / "b.mp3")


def _made(name: str, folder: Path) -> None:  # noqa: C901, PLR0912, PLR0915 - one branch for each data set
    match name:
        case "coco-captions":
            write(folder / "captions.json", coco("a.png"))
            picture(folder / "images" / "a.png")
        case "coco-vqa":
            pair(folder, "vqa_questions.json", "vqa_annotations.json", 7)
            picture(folder / "images" / "000000000007.jpg")
        case "coco-karpathy":
            write(folder / "dataset_coco.json", karpathy("COCO_val2014_000000000042.jpg", cocoid=42))
            picture(folder / "val2014" / "COCO_val2014_000000000042.jpg")
        case "coco-2017":
            write(folder / "annotations/captions_val2017.json", coco("000000000007.jpg"))
            picture(folder / "val2017" / "000000000007.jpg")
        case "nocaps":
            write(folder / "nocaps_val_4500_captions.json", coco("a.jpg", domain="near-domain"))
            picture(folder / "val" / "a.jpg")
        case "flickr30k" | "flickr8k":
            write(folder / f"dataset_{name}.json", karpathy("12.jpg"))
            picture(folder / "images" / "12.jpg")
        case "vqav2":
            version = "v2_OpenEnded_mscoco_val2014_questions.json", "v2_mscoco_val2014_annotations.json"
            pair(folder, *version, 7)
            picture(folder / "val2014" / "COCO_val2014_000000000007.jpg")
        case "okvqa":
            files = "OpenEnded_mscoco_val2014_questions.json", "mscoco_val2014_annotations.json"
            pair(folder, *files, 7, question_type="five")
            picture(folder / "val2014" / "COCO_val2014_000000000007.jpg")
        case "vizwiz":
            answers = [{"answer": "unanswerable", "answer_confidence": "yes"}] * 10
            row = {
                "image": "VizWiz_val_0.jpg",
                "question": "What is this?",
                "answers": answers,
                "answerable": 0,
            }
            write(folder / "Annotations" / "val.json", [row])
            picture(folder / "val" / "VizWiz_val_0.jpg")
        case "textvqa":
            row = {
                "question_id": 34602,
                "image_id": "003a8a",
                "question": "what brand?",
                "answers": ["dakota"] * 10,
            }
            write(folder / "TextVQA_0.5.1_val.json", {"dataset_type": "val", "data": [row]})
            picture(folder / "train_images" / "003a8a.jpg")
        case "gqa":
            row = {
                "imageId": "n1",
                "question": "Is it red?",
                "answer": "no",
                "types": {"structural": "verify"},
            }
            write(folder / "testdev_balanced_questions.json", {"201307251": row})
            picture(folder / "images" / "n1.jpg")
        case "coco-30k":
            write(folder / "captions_val2014.json", coco("COCO_val2014_000000000007.jpg"))
            picture(folder / "val2014" / "COCO_val2014_000000000007.jpg")
        case "parti-prompts":
            write(
                folder / "PartiPrompts.tsv", 'Prompt\tCategory\tChallenge\tNote\n"A" dog\tAnimals\tBasic\t\n'
            )
        case "geneval":
            row = {
                "tag": "counting",
                "include": [{"class": "dog", "count": 2}],
                "prompt": "a photo of two dogs",
            }
            write(folder / "evaluation_metadata.jsonl", json.dumps(row) + "\n")
        case "msrvtt-qa":
            row = {"id": 4, "video_id": 7010, "category_id": 1, "question": "what is it?", "answer": "dog"}
            write(folder / "test_qa.json", [row])
            clip(folder / "TestVideo" / "video7010.mp4")
        case "ucf-101":
            line = "ApplyEyeMakeup/v_ApplyEyeMakeup_g01_c01.avi"
            write(folder / "ucfTrainTestlist" / "testlist01.txt", f"{line}\r\n")
            clip(folder / "UCF-101" / line)
        case "vbench":
            write(
                folder / "VBench_full_info.json",
                [{"prompt_en": "a stop sign", "dimension": ["color", "scene"]}],
            )
        case "coco-editing":
            editing(folder, "7.jpg")
            picture(folder / "images" / "7.jpg")
        case "vctk-editing":
            editing(folder, "p225/a.wav", target="p225/b.wav")
            sound(folder / "wav48" / "p225" / "a.wav")
            sound(folder / "wav48" / "p225" / "b.wav")
        case "t2av-compass":
            row = {"index": 1, "prompt": "a dog barks", "video_prompt": "a dog", "audio_prompt": "barks"}
            write(folder / "prompts.json", [row])
        case "javisbench":
            write(folder / "JavisBench.csv", "path,text\nplaceholder.mp4,a dog barks\n")
        case _:
            OTHERS[name](folder)


OTHERS: Mapping[str, Any] = {
    "pope": pope,
    "mmbench": mmbench,
    "seed-bench": seed_bench,
    "msr-vtt": msr_vtt,
    "msr-vtt-generation": msr_vtt,
    "msvd": msvd,
    "msvd-qa": msvd,
    "next-qa": lambda folder: next_qa(folder, options=True),
    "next-qa-open": lambda folder: next_qa(folder, options=False),
    "activitynet-qa": activitynet,
    "audiocaps": audiocaps,
    "audiocaps-generation": audiocaps,
    "clotho": clotho,
    "photo-captions": kept_photographs,
    "photo-vqa": lambda folder: _made("coco-vqa", folder),
    "clip-captions": kept_clips,
    "clip-qa": kept_clips,
    "sound-captions": kept_sounds,
    "sound-retrieval": kept_sounds,
    "sound-tags": esc50,
    "davis-editing": davis,
    "unim": unim,
}


def miniature(name: str, folder: Path) -> Path:
    """A benchmark's official files with a record or two, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    _made(name, folder)
    return folder
